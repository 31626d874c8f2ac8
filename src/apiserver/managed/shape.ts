import { alwaysWritten } from "../../api/alwaysWritten.ts";
import { fields } from "../../api/generated/fields.ts";
import { atomicTypes, isAtomicMap, keyDefaultOf, listTypeOf } from "../../api/listTypes.ts";

/** What a list's elements are known by. */
export interface ListKey {
  readonly name: string;
  /** The value of an element that leaves the key out; undefined when it then has none. */
  readonly missing: string | number | undefined;
}

/** How the fields of one type are owned, compiled from the tables. */
export type Shape =
  | { readonly is: "scalar"; readonly word: string }
  | StructShape
  | { readonly is: "map"; readonly isAtomic: boolean; readonly item: Shape }
  | ListShape;

export interface StructShape {
  readonly is: "struct";
  readonly isAtomic: boolean;
  readonly fields: ReadonlyMap<string, Shape>;
  /** Fields that are written although nobody set them, with what is written. */
  readonly always: readonly (readonly [field: string, zero: unknown])[];
}

export interface ListShape {
  readonly is: "list";
  readonly how: "atomic" | "set" | "map";
  readonly keys: readonly ListKey[];
  readonly item: Shape;
}

const SCALARS: ReadonlySet<string> = new Set([
  "string",
  "boolean",
  "int32",
  "int64",
  "float",
  "double",
  "number",
  "byte",
  "time",
  "microtime",
  "quantity",
  "intOrString",
  "any",
]);

/** What stands for a scalar that is always there; null for all others, as for lists that nobody set. */
const ZEROS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["string", ""],
  ["boolean", false],
  ["int32", 0],
  ["int64", 0],
]);

const plain = (word: string): string => word.replace(/!$/, "");

function wordShape(word: string, type: string, field: string): Shape {
  if (word.startsWith("[]")) return listShape(word.slice(2), type, field);
  if (word.startsWith("map:"))
    return { is: "map", isAtomic: isAtomicMap(type, field), item: wordShape(word.slice(4), "", "") };
  return SCALARS.has(word) ? { is: "scalar", word } : shapeOf(word);
}

function listShape(word: string, type: string, field: string): ListShape {
  const listType = listTypeOf(type, field);
  const keys =
    listType?.type === "map"
      ? listType.keys.map((name) => ({ name, missing: keyDefaultOf(word, name, fields[word]?.[name] ?? "") }))
      : [];
  return { is: "list", how: listType?.type ?? "atomic", keys, item: wordShape(word, "", "") };
}

function compile(type: string): StructShape {
  const table = fields[type];
  if (table === undefined) throw new TypeError(`owning fields: no type ${JSON.stringify(type)} in the table of fields`);
  const shapes = new Map(
    Object.entries(table).map(([field, word]) => [field, wordShape(plain(word), type, field)] as const),
  );
  const written = Object.hasOwn(alwaysWritten, type) ? alwaysWritten[type]! : [];
  const always = Object.entries(table).flatMap(([field, word]): [string, unknown][] => {
    const isStruct = shapes.get(field)!.is === "struct";
    // A struct that must be there may still be left out; only the table knows those that are written empty.
    if (!written.includes(field) && (isStruct || !word.endsWith("!"))) return [];
    return [[field, isStruct ? {} : (ZEROS.get(plain(word)) ?? null)]];
  });
  return { is: "struct", isAtomic: atomicTypes.has(type), fields: shapes, always };
}

const compiled = new Map<string, StructShape>();

/** The shape of a type of the field table, compiled when first asked for. Throws TypeError for a type that is not there. */
export function shapeOf(type: string): StructShape {
  let shape = compiled.get(type);
  if (shape === undefined) compiled.set(type, (shape = compile(type)));
  return shape;
}
