import type { KubeObject } from "../api/object.ts";
import { parseFieldSelector } from "./selectors-temporary.ts";
import { parseLabelSelector } from "./selectors-temporary.ts";
import type { Item } from "./cache/item.ts";
import { objectKey, prefixOf } from "./keys.ts";
import type { ResourceRoute } from "./route.ts";

/** Which objects of a kind a list, watch or deletecollection means. */
export interface Selection {
  /** Where the objects lie. */
  readonly prefix: string;
  /** The one key, when the request names one object. */
  readonly key: string | undefined;
  /** Undefined when every object there is meant. */
  readonly matches: ((object: KubeObject) => boolean) | undefined;
}

const ONE_NAME = /^metadata\.name==?([^,=!]+)$/;

/** Reads the selectors of a request. @throws ApiError BadRequest */
export function selectionOf(route: ResourceRoute, query: URLSearchParams): Selection {
  const { kind } = route;
  const labels = query.get("labelSelector") ?? "";
  const fields = query.get("fieldSelector") ?? "";
  const tests: ((object: KubeObject) => boolean)[] = [];
  if (labels !== "") {
    const matches = parseLabelSelector(labels);
    tests.push((object) => matches(object.metadata.labels ?? {}));
  }
  if (fields !== "") {
    const matches = parseFieldSelector(fields, kind);
    tests.push((object) => matches(object));
  }
  const name = route.name ?? ONE_NAME.exec(fields)?.[1];
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
