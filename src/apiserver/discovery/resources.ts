import type { Kind } from "../../api/kind.ts";
import type { Review } from "../reviews/review.ts";
import { reviews } from "../reviews/reviews.ts";
import { subresourcesOf } from "../subresources.ts";

/** A resource or subresource as discovery lists it. */
export interface DiscoveredResource {
  /** `services`, `services/status`. */
  readonly name: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS_VERBS = ["get", "patch", "update"];
/** What discovery calls the methods of what hangs below an object; of the others it says nothing. */
const METHOD_VERBS = [
  ["POST", "create"],
  ["DELETE", "delete"],
  ["GET", "get"],
  ["PATCH", "patch"],
  ["PUT", "update"],
] as const;

/** Whatever has a path of its own: kinds, whose objects are stored, and questions, which are only answered. */
export type Served = Kind | Review;

const served = new WeakMap<readonly Kind[], readonly Served[]>();

/** Everything that a server of these kinds serves; the same list each time. */
export function servedBy(kinds: readonly Kind[]): readonly Served[] {
  let all = served.get(kinds);
  if (all === undefined) served.set(kinds, (all = [...kinds, ...reviews]));
  return all;
}

/** False for a path below a group that is not served at all. */
export function servesGroupOf(path: string, kinds: readonly Kind[]): boolean {
  const group = /^\/apis\/([^/]*)/.exec(path)?.[1];
  if (group === undefined || path === "/apis/") return true;
  // The core group has no name, and a path of its own.
  return group !== "" && servedBy(kinds).some((one) => one.group === group);
}

/** Whether a whole collection may be deleted at once. Namespaces take too much with them. */
export const deletesMany = ({ group, plural }: Pick<Kind, "group" | "plural">): boolean =>
  group !== "" || plural !== "namespaces";

const discoveredReview = (review: Review): DiscoveredResource => ({
  name: review.plural,
  singular: review.singular,
  namespaced: review.namespaced,
  group: review.group,
  version: review.version,
  kind: review.kind,
  verbs: ["create"],
  shortNames: [],
  categories: [],
});

/** The resource and its subresources. */
export function discovered(served: Served): DiscoveredResource[] {
  if ("answer" in served) return [discoveredReview(served)];
  const kind = served;
  const { group, version, namespaced } = kind;
  const base = { namespaced, group, version, kind: kind.kind };
  const below = { ...base, singular: "", shortNames: [], categories: [] };
  const subresources = [
    ...Object.entries(subresourcesOf(kind)).map(([word, { methods, ...rest }]) => ({
      ...below,
      ...rest,
      name: `${kind.plural}/${word}`,
      verbs: METHOD_VERBS.filter(([method]) => Object.hasOwn(methods, method)).map(([, verb]) => verb),
    })),
    ...kind.subresources.map((word) => ({
      ...below,
      name: `${kind.plural}/${word}`,
      verbs: word === "status" ? STATUS_VERBS : ["update"],
    })),
  ];
  return [
    {
      ...base,
      name: kind.plural,
      singular: kind.singular,
      verbs: deletesMany(kind) ? VERBS : VERBS.filter((verb) => verb !== "deletecollection"),
      shortNames: kind.shortNames,
      categories: kind.categories,
    },
    ...subresources.sort((a, b) => (a.name < b.name ? -1 : 1)),
  ];
}
