import { quantityFields } from "../decode/quantities.ts";
import { fields } from "../generated/fields.ts";
import { numbers } from "../generated/numbers.ts";
import { bytesOf, Malformed, numberOf, readFields, type WireField } from "./wire.ts";

type Json = Record<string, unknown>;
type Value = WireField["value"];
type Read = (value: Value, depth: number) => unknown;

/** How one field of a message becomes a member of the JSON object. */
interface Member {
  readonly name: string;
  /** Adds the value to what is there already: lists and maps come one entry at a time. */
  readonly add: (before: unknown, value: Value, depth: number) => unknown;
}

/** Deeper nesting than any Kubernetes type has. */
const MAXIMUM_DEPTH = 100;

const utf8 = new TextDecoder("utf-8", { fatal: true });

function text(value: Value): string {
  try {
    return utf8.decode(bytesOf(value));
  } catch (error) {
    if (error instanceof Malformed) throw error;
    throw new Malformed("it has text that is not UTF-8");
  }
}

/** The fields of a message that has at most one value for each number. */
const single = (value: Value): Map<number, Value> =>
  new Map([...readFields(bytesOf(value))].map((field) => [field.number, field.value]));

const integer = (value: Value | undefined): number => (value === undefined ? 0 : Number(numberOf(value)));

/** A time as JSON has it; undefined for the zero time. `metav1.Time` and `MicroTime`: seconds 1, nanos 2. */
function time(value: Value, digits: 0 | 6): string | undefined {
  const parts = single(value);
  const [seconds, nanos] = [integer(parts.get(1)), integer(parts.get(2))];
  if (seconds === 0 && nanos === 0) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || nanos < 0 || nanos >= 1e9) throw new Malformed("it has a time that there is not");
  const fraction = digits === 0 ? "" : `.${String(nanos).padStart(9, "0").slice(0, 6)}`;
  return `${date.toISOString().slice(0, 19)}${fraction}Z`;
}

/** `intstr.IntOrString`: type 1 (0 is a number), intVal 2, strVal 3. */
function intOrString(value: Value): number | string {
  const parts = single(value);
  if (integer(parts.get(1)) === 0) return integer(parts.get(2));
  const said = parts.get(3);
  return said === undefined ? "" : text(said);
}

/** What is kept as JSON text within a message (`FieldsV1`, `RawExtension`): its bytes are field 1. */
function json(value: Value): unknown {
  const raw = single(value).get(1);
  if (raw === undefined) return undefined;
  try {
    return JSON.parse(text(raw));
  } catch {
    throw new Malformed("it has a field that should hold JSON and does not");
  }
}

const double = (value: Value): number => {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setBigUint64(0, BigInt.asUintN(64, numberOf(value)));
  return bits.getFloat64(0);
};

const int32 = (value: Value): number => Number(BigInt.asIntN(32, numberOf(value)));

/** The values of a map of lists, `ExtraValue`: items 1. */
const list = (value: Value): string[] => [...readFields(bytesOf(value))].map((field) => text(field.value));

function reader(word: string, isQuantity: boolean): Read {
  if (isQuantity) {
    return (value) => {
      const said = single(value).get(1);
      return said === undefined ? "0" : text(said);
    };
  }
  switch (word) {
    case "string":
      return text;
    case "byte":
      return (value) => Buffer.from(bytesOf(value)).toString("base64");
    case "boolean":
      return (value) => numberOf(value) !== 0n;
    case "int32":
      return int32;
    case "int64":
      return integer;
    case "double":
      return double;
    case "time":
      return (value) => time(value, 0);
    case "microtime":
      return (value) => time(value, 6);
    case "intOrString":
      return intOrString;
    case "any":
      return json;
    case "[]string":
      return list;
    default:
      return (value, depth) => readMessage(word, bytesOf(value), depth + 1);
  }
}

const isZero = (value: unknown): boolean => value === "" || value === 0 || value === false;

function member(type: string, name: string, number: number): Member | undefined {
  const word = fields[type]?.[name]?.replace(/!$/, "");
  if (word === undefined) return undefined;
  const isQuantity = quantityFields.has(`${type}.${name}`);
  if (word.startsWith("map:")) {
    const read = reader(word.slice(4), isQuantity);
    return {
      name,
      add(before, value, depth) {
        const entry = single(value);
        const [key, said] = [entry.get(1), entry.get(2)];
        const whole = (before ?? {}) as Json;
        Object.defineProperty(whole, key === undefined ? "" : text(key), {
          value: said === undefined ? "" : read(said, depth),
          enumerable: true,
          configurable: true,
          writable: true,
        });
        return whole;
      },
    };
  }
  if (word.startsWith("[]")) {
    const read = reader(word.slice(2), isQuantity);
    return { name, add: (before, value, depth) => [...((before ?? []) as unknown[]), read(value, depth)] };
  }
  const read = reader(word, isQuantity);
  return {
    name,
    add(_, value, depth) {
      const said = read(value, depth);
      // What is no pointer in Go is always written; its zero value means that nobody said anything.
      return number > 0 && isZero(said) ? undefined : said;
    },
  };
}

const made = new Map<string, Map<number, Member | string>>();

/** The members of a message by number; `shape` is the Go type whose numbers count, `type` that in which their words stand. */
function membersOf(shape: string, type: string): Map<number, Member | string> {
  const key = `${shape} ${type}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const members = new Map<number, Member | string>();
  for (const [name, number] of Object.entries(numbers[shape] ?? {})) {
    const found = name.startsWith("...") ? name.slice(3) : member(type, name, number);
    if (found !== undefined) members.set(Math.abs(number), found);
  }
  made.set(key, members);
  return members;
}

function fill(object: Json, shape: string, type: string, bytes: Uint8Array, depth: number): void {
  if (depth > MAXIMUM_DEPTH) throw new Malformed(`it is nested deeper than ${MAXIMUM_DEPTH} levels`);
  const members = membersOf(shape, type);
  for (const { number, value } of readFields(bytes)) {
    const found = members.get(number);
    if (found === undefined) continue;
    if (typeof found === "string") fill(object, found, type, bytesOf(value), depth + 1);
    else {
      const next = found.add(object[found.name], value, depth);
      if (next !== undefined) object[found.name] = next;
    }
  }
}

function readMessage(type: string, bytes: Uint8Array, depth: number): Json {
  const object: Json = {};
  fill(object, type, type, bytes, depth);
  return object;
}

/** How the protobuf form of an object begins: `k8s` and a zero, then a `runtime.Unknown`. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/**
 * Reads the protobuf form of an object as the JSON that says the same: an envelope with its kind (`runtime.Unknown`: typeMeta 1, raw 2), and in it
 * the object by the numbers of its Go type. Numbers that the type does not have are left out.
 *
 * @throws Malformed for what is no such message
 */
export function decodeProtobuf(type: string, bytes: Uint8Array): Json {
  if (!MAGIC.every((byte, index) => bytes[index] === byte))
    throw new Malformed("it does not begin with k8s and a zero");
  const envelope = single(bytes.subarray(MAGIC.length));
  const meta = single(envelope.get(1) ?? new Uint8Array());
  const said = (number: number): string => {
    const value = meta.get(number);
    return value === undefined ? "" : text(value);
  };
  const raw = envelope.get(2);
  return { apiVersion: said(1), kind: said(2), ...(raw === undefined ? {} : readMessage(type, bytesOf(raw), 0)) };
}
