/**
 * What is known of one step of a path: whether the field is in the set itself, and what of it below is. A node that is neither does not
 * stand in a set.
 */
export interface FieldNode {
  readonly isMember: boolean;
  readonly children: FieldSet;
}

/**
 * A set of fields of one object, as a tree. The keys are path elements as `fieldsV1` writes them: `f:spec`, `k:{"port":80}`, `v:"a"`,
 * `i:0`.
 */
export type FieldSet = ReadonlyMap<string, FieldNode>;

export const EMPTY: FieldSet = new Map();
/** A field that is in the set, with nothing below it. */
export const LEAF: FieldNode = { isMember: true, children: EMPTY };

const nodeOf = (isMember: boolean, children: FieldSet): FieldNode | undefined =>
  isMember || children.size > 0 ? { isMember, children } : undefined;

/** Sets `key` unless there is nothing to tell. */
const put = (target: Map<string, FieldNode>, key: string, node: FieldNode | undefined): void => {
  if (node !== undefined) target.set(key, node);
};

/** Fields in either set. */
export function union(one: FieldSet, other: FieldSet): FieldSet {
  if (one.size === 0) return other;
  if (other.size === 0) return one;
  const joined = new Map(one);
  for (const [key, node] of other) {
    const mine = joined.get(key);
    joined.set(
      key,
      mine === undefined
        ? node
        : { isMember: mine.isMember || node.isMember, children: union(mine.children, node.children) },
    );
  }
  return joined;
}

/** Fields in both sets. */
export function intersection(one: FieldSet, other: FieldSet): FieldSet {
  const common = new Map<string, FieldNode>();
  for (const [key, node] of one) {
    const theirs = other.get(key);
    if (theirs === undefined) continue;
    const isMember = node.isMember && theirs.isMember;
    put(common, key, nodeOf(isMember, intersection(node.children, theirs.children)));
  }
  return common;
}

/** Fields of the first set that are not in the second. A field stays where only its parent is in the second. */
export function difference(one: FieldSet, other: FieldSet): FieldSet {
  if (other.size === 0) return one;
  const rest = new Map<string, FieldNode>();
  for (const [key, node] of one) {
    const theirs = other.get(key);
    if (theirs === undefined) rest.set(key, node);
    else put(rest, key, nodeOf(node.isMember && !theirs.isMember, difference(node.children, theirs.children)));
  }
  return rest;
}

/** Fields of the first set that neither are in the second nor lie below one that is. */
export function outside(one: FieldSet, other: FieldSet): FieldSet {
  if (other.size === 0) return one;
  const rest = new Map<string, FieldNode>();
  for (const [key, node] of one) {
    const theirs = other.get(key);
    if (theirs === undefined) rest.set(key, node);
    else if (!theirs.isMember) put(rest, key, nodeOf(node.isMember, outside(node.children, theirs.children)));
  }
  return rest;
}

/** The set of fields at these paths, each a list of path elements. */
export function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  let all = EMPTY;
  for (const path of paths) {
    const node = path.reduceRight<FieldNode | undefined>(
      (below, key) => ({ isMember: false, children: new Map([[key, below ?? LEAF]]) }),
      undefined,
    );
    if (node !== undefined) all = union(all, node.children);
  }
  return all;
}
