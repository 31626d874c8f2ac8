import type { Kind } from "../../api/kind.ts";
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import { parseFieldSelector } from "../../api/selector/fieldSelector.ts";
import { parseLabelSelector } from "../../api/selector/labelSelector.ts";
import type { Item } from "../cache/item.ts";
import { badRequest } from "../errors.ts";
import { objectKey, prefixOf } from "../keys.ts";
import type { ResourceRoute } from "../route.ts";

/** Which objects of a kind a list, watch or deletecollection means. */
export interface Selection {
  /** Where the objects lie. */
  readonly prefix: string;
  /** The one key, when the request names one object. */
  readonly key: string | undefined;
  /** Undefined when every object there is meant. */
  readonly matches: ((object: KubeObject) => boolean) | undefined;
}

/** The field labels a kind can be selected by: those it gives for an object of which nothing is known. */
const supportedFields = (kind: Kind): string[] =>
  Object.keys(kind.selectableFields(kind.defaults({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: {} })));

/** Reads the selectors of a request. @throws ApiError BadRequest */
export function selectionOf(route: ResourceRoute, query: URLSearchParams): Selection {
  const { kind } = route;
  const labels = query.get("labelSelector") ?? "";
  const fields = query.get("fieldSelector") ?? "";
  let byName: string | undefined;
  const tests: ((object: KubeObject) => boolean)[] = [];
  if (labels !== "") {
    const matches = parseLabelSelector(labels);
    tests.push((object) => matches(object.metadata.labels));
  }
  if (fields !== "") {
    const { matches, requirements } = parseFieldSelector(fields, supportedFields(kind));
    byName = requirements.find(({ field, equal }) => field === "metadata.name" && equal)?.value;
    tests.push((object) => matches(kind.selectableFields(object)));
  }
  if (route.name !== undefined && byName !== undefined && byName !== route.name) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  }
  const name = route.name ?? byName;
  const isOne = name !== undefined && (!kind.namespaced || route.namespace !== undefined);
  return {
    prefix: prefixOf(kind, route.namespace),
    key: isOne ? objectKey(kind, { namespace: route.namespace, name }) : undefined,
    matches: tests.length === 0 ? undefined : (object) => tests.every((test) => test(object)),
  };
}

/** True when the item is one of those meant. */
export const isSelected = (selection: Selection, item: Item): boolean =>
  (selection.key === undefined ? item.key.startsWith(selection.prefix) : item.key === selection.key) &&
  (selection.matches === undefined || selection.matches(item.object));
