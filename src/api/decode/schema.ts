import { alwaysWritten } from "../alwaysWritten.ts";
import { fields } from "../generated/fields.ts";
import { pointers } from "../generated/pointers.ts";
import { quantityFields } from "./quantities.ts";
import { scalars } from "./scalars.ts";

/** How one value is read, made once from a type word of the field table. */
export type Reader =
  | {
      readonly shape: "scalar";
      readonly word: string;
      readonly read: (value: unknown) => unknown;
      readonly zero: unknown;
    }
  | { readonly shape: "list"; readonly word: string; readonly item: Reader }
  | { readonly shape: "map"; readonly word: string; readonly item: Reader }
  | { readonly shape: "struct"; readonly word: string; readonly type: string }
  | { readonly shape: "any"; readonly word: string };

export interface StructSchema {
  readonly type: string;
  readonly fields: ReadonlyMap<string, Reader>;
  /** Fields that are kept when they are empty or zero; Go leaves out all others. */
  readonly keptEmpty: ReadonlySet<string>;
  /** Fields that Go writes even when the writer left them out, with their zero value: scalars and lists. */
  readonly zeros: readonly (readonly [field: string, zero: unknown])[];
}

function readerOf(word: string): Reader {
  if (word.startsWith("[]")) return { shape: "list", word, item: readerOf(word.slice(2)) };
  if (word.startsWith("map:")) return { shape: "map", word, item: readerOf(word.slice(4)) };
  if (word === "any") return { shape: "any", word };
  const scalar = scalars.get(word);
  if (scalar !== undefined) return { shape: "scalar", word, ...scalar };
  return { shape: "struct", word, type: word };
}

/** Words of values that Go leaves out when they are zero, unless it holds them by pointer. */
const LEFT_OUT: ReadonlySet<string> = new Set(["string", "boolean", "int32", "int64", "double"]);

/** An empty list here asks for something: managers of fields are forgotten. */
const MEANT_EMPTY: ReadonlySet<string> = new Set(["ObjectMeta.managedFields"]);

function compile(type: string): StructSchema {
  const table = fields[type];
  if (table === undefined) throw new TypeError(`decoding: no type ${JSON.stringify(type)} in the field table`);
  const readers = new Map<string, Reader>();
  const zeros: [string, unknown][] = [];
  const keptEmpty = new Set(Object.hasOwn(alwaysWritten, type) ? alwaysWritten[type] : []);
  const pointed = Object.hasOwn(pointers, type) ? new Set(pointers[type]!.split(" ")) : undefined;
  for (const [field, said] of Object.entries(table)) {
    const word = said.replace(/!$/, "");
    const reader = readerOf(quantityFields.has(`${type}.${field}`) ? word.replace("string", "quantity") : word);
    readers.set(field, reader);
    if (MEANT_EMPTY.has(`${type}.${field}`)) keptEmpty.add(field);
    const isPointer = pointed?.has(field) === true;
    if (reader.shape === "scalar" && (isPointer || pointed === undefined || !LEFT_OUT.has(word))) keptEmpty.add(field);
    if (!said.endsWith("!") || isPointer) continue;
    keptEmpty.add(field);
    if (reader.shape === "list") zeros.push([field, []]);
    else if (reader.shape === "scalar" && reader.zero !== undefined) zeros.push([field, reader.zero]);
  }
  return { type, fields: readers, keptEmpty, zeros };
}

const compiled = new Map<string, StructSchema>();

/** The schema of a type of the field table, compiled when first asked for. Throws TypeError for a type that is not there. */
export function schemaOf(type: string): StructSchema {
  let schema = compiled.get(type);
  if (schema === undefined) compiled.set(type, (schema = compile(type)));
  return schema;
}
