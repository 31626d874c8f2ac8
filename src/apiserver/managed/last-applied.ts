import { apiVersionOf, type KubeObject, type Resource } from "../../api/object.ts";
import { misfitWords } from "./check.ts";
import { compare } from "./compare.ts";
import { isObject } from "./element.ts";
import { extract } from "./extract.ts";
import { difference, EMPTY, union, type FieldSet } from "./field-set.ts";
import { bare } from "./owned.ts";
import { shapeOf } from "./shape.ts";

/** Where kubectl keeps what it applied by itself. */
const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
/** The manager whose server-side apply goes on where kubectl's own left off. */
const KUBECTL = "kubectl";
/** All annotations of an object together, in bytes. */
const ANNOTATIONS_MAXIMUM = 256 * 1024;

const lastAppliedOf = (annotations: Readonly<Record<string, string>> | null | undefined): string =>
  annotations !== undefined && annotations !== null && Object.hasOwn(annotations, ANNOTATION)
    ? annotations[ANNOTATION]!
    : "";

/** The fields that kubectl set by its own apply and that still are as it set them: it may take them over without force. */
export function takenOver(kind: Resource & { readonly type: string }, live: KubeObject, manager: string): FieldSet {
  const text = lastAppliedOf(live.metadata.annotations);
  if (manager !== KUBECTL || text === "") return EMPTY;
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch {
    return EMPTY;
  }
  const shape = shapeOf(kind.type);
  if (!isObject(applied) || applied["apiVersion"] !== apiVersionOf(kind)) return EMPTY;
  if (misfitWords(shape, applied) !== undefined) return EMPTY;
  const { added, modified, removed } = compare(shape, applied, bare(live));
  return difference(extract(shape, applied), union(union(added, modified), removed));
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
};

/** Keeps kubectl's annotation true after its server-side apply, so that its own apply may come back. */
export function withLastApplied<T extends { metadata?: unknown }>(object: T, applied: object, manager: string): T {
  const metadata = object.metadata as KubeObject["metadata"] | undefined;
  if (manager !== KUBECTL || lastAppliedOf(metadata?.annotations) === "") return object;
  const { metadata: said, ...rest } = applied as { metadata?: Partial<KubeObject["metadata"]> | null };
  const { annotations: named, ...others } = said ?? {};
  const { [ANNOTATION]: _, ...kept } = named ?? {};
  const own = named === undefined || named === null ? others : { ...others, annotations: kept };
  const text = `${JSON.stringify(sorted({ ...rest, metadata: own }))}\n`;
  const annotations: Record<string, string> = { ...metadata?.annotations, [ANNOTATION]: text };
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (bytes > ANNOTATIONS_MAXIMUM) delete annotations[ANNOTATION];
  return { ...object, metadata: { ...metadata, annotations } };
}
