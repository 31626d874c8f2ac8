import { EMPTY, LEAF, type FieldNode, type FieldSet } from "./field-set.ts";
import { comparePathElements, pathElementWords, readPathElement } from "./path-element.ts";

/** A set of fields as `metadata.managedFields[].fieldsV1` holds it. */
export interface FieldsV1 {
  [element: string]: FieldsV1;
}

/** The field itself, in the set beside some of what is below it. */
const SELF = ".";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const sorted = (set: FieldSet): [string, FieldNode][] => {
  const entries = [...set];
  return entries.length < 2 ? entries : entries.sort(([one], [other]) => comparePathElements(one, other));
};

/** Writes a set, in upstream's order. */
export function encodeFields(set: FieldSet): FieldsV1 {
  const written: FieldsV1 = {};
  for (const [element, { isMember, children }] of sorted(set)) {
    if (children.size === 0) written[element] = {};
    else written[element] = isMember ? { [SELF]: {}, ...encodeFields(children) } : encodeFields(children);
  }
  return written;
}

function decodeNode(written: unknown): FieldNode {
  if (!isObject(written)) throw new SyntaxError("reading fieldsV1: every field should hold an object");
  const children = new Map<string, FieldNode>();
  for (const [key, below] of Object.entries(written)) {
    if (key === SELF) continue;
    const element = readPathElement(key);
    if (element !== undefined) children.set(element, decodeNode(below));
  }
  if (children.size === 0) return LEAF;
  return { isMember: Object.hasOwn(written, SELF), children };
}

/** Reads a set. @throws SyntaxError for what is none */
export const decodeFields = (written: unknown): FieldSet =>
  written === undefined || written === null ? EMPTY : decodeNode(written).children;

/** Every field of a set as it reads in a message: `.spec.ports[port=80,protocol="TCP"].name`. A level's own fields come before what is below them. */
export function fieldWords(set: FieldSet, prefix = ""): string[] {
  const nodes = sorted(set);
  const at = (element: string): string => `${prefix}${pathElementWords(element)}`;
  return [
    ...nodes.filter(([, { isMember }]) => isMember).map(([element]) => at(element)),
    ...nodes.flatMap(([element, { children }]) => fieldWords(children, at(element))),
  ];
}
