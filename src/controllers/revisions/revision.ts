import type { ControllerRevision, OwnerReference, PodTemplateSpec } from "../../api/generated/types.ts";
import { hashOf } from "./hash.ts";

/** The label of a StatefulSet's or DaemonSet's pods that says which revision they are made of. */
export const REVISION_LABEL = "controller-revision-hash";
/** The label of a StatefulSet's revision that holds its hash; of a DaemonSet's it is `REVISION_LABEL`. */
export const HASH_LABEL = "controller.kubernetes.io/hash";

/** What `kubectl rollout undo` lays over the owner as a strategic merge patch: the whole template, instead of what is there. */
interface Data {
  readonly spec: { readonly template: PodTemplateSpec & { readonly $patch?: "replace" } };
}

export interface RevisionOf {
  readonly owner: OwnerReference;
  readonly namespace: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly template: PodTemplateSpec;
  readonly hashLabel: string;
  /** How many revisions have met another with their name and other contents. */
  readonly collisionCount: number;
}

/** JSON with sorted names and without empties that a server may add or leave out, so that equal revisions are equal texts. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, held]) => held !== null && held !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, held]) => [name, canonical(held)]),
  );
}

const textOf = (data: unknown): string => JSON.stringify(canonical(data)) ?? "";

/** The most that may stand before the hash, so that the name is a name whatever the owner's is. */
const LONGEST_PREFIX = 223;

/** A revision that the server does not know yet, with number 1. Its name follows from what it holds, so that none is made twice. */
export function newRevision(of: RevisionOf): ControllerRevision {
  const data: Data = { spec: { template: { $patch: "replace", ...of.template } } };
  const hash = hashOf(`${textOf(data)}${of.collisionCount}`);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${of.owner.name.slice(0, LONGEST_PREFIX)}-${hash}`,
      namespace: of.namespace,
      labels: { ...of.template.metadata?.labels, [of.hashLabel]: hash },
      ...(of.annotations === undefined ? {} : { annotations: { ...of.annotations } }),
      ownerReferences: [of.owner],
    },
    data,
    revision: 1,
  };
}

/** Whether two revisions would make the same pods. */
export const isEqualRevision = (a: ControllerRevision, b: ControllerRevision): boolean =>
  textOf(a.data) === textOf(b.data);

/** By number, then by age, then by name: the oldest first. */
export function sortRevisions(revisions: readonly ControllerRevision[]): ControllerRevision[] {
  const rank = ({ metadata }: ControllerRevision): string =>
    `${metadata.creationTimestamp ?? ""}/${metadata.name ?? ""}`;
  return [...revisions].sort((a, b) => a.revision - b.revision || (rank(a) < rank(b) ? -1 : 1));
}

/** The template that a revision holds; undefined when it is none of ours. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec | undefined {
  const held = (revision.data as Partial<Data> | null | undefined)?.spec?.template;
  if (held === undefined) return undefined;
  const { $patch: _, ...template } = held;
  return template;
}
