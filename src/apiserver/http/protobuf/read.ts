import { ApiError } from "../../../api/status.ts";
import { numbers } from "./numbers.ts";
import { fieldsOf } from "./wire.ts";

/** What every body begins with (Kubernetes' protobuf envelope). */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
/** Messages inside each other. */
const MAXIMUM_DEPTH = 60;

interface Field {
  readonly name: string;
  readonly word: string;
  /** Whether a zero value was meant, and not only left out. */
  readonly isPointer: boolean;
}

const compiled = new Map<string, ReadonlyMap<number, Field>>();

function fieldsOfType(type: string): ReadonlyMap<number, Field> {
  let fields = compiled.get(type);
  if (fields === undefined) {
    const words = (numbers[type] ?? "").split(" ").filter((word) => word !== "");
    fields = new Map(
      words.map((said) => {
        const [, name, number, pointer, word] = /^(.+?)=(\d+):(\*?)(.+)$/.exec(said)!;
        return [Number(number), { name: name!, word: word!, isPointer: pointer === "*" }];
      }),
    );
    compiled.set(type, fields);
  }
  return fields;
}

/** The parts of a small message of numbers: time, intOrString. */
const partsOf = (bytes: Buffer): ReadonlyMap<number, bigint | Buffer> =>
  new Map([...fieldsOf(bytes)].map(({ number, value }) => [number, value]));

function timeOf(bytes: Buffer, isMicro: boolean): string | undefined {
  const parts = partsOf(bytes);
  if (parts.size === 0) return undefined;
  const seconds = Number(parts.get(1) ?? 0n);
  const micros = String(Math.floor(Number(parts.get(2) ?? 0n) / 1000)).padStart(6, "0");
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return isMicro ? `${text}.${micros}Z` : `${text}Z`;
}

function intOrString(bytes: Buffer): number | string {
  const parts = partsOf(bytes);
  return parts.get(1) === 1n ? String(parts.get(3) ?? "") : Number(parts.get(2) ?? 0n);
}

/** The bytes in field 1 of a message that holds nothing else. */
const onlyField = (bytes: Buffer): Buffer => {
  const value = partsOf(bytes).get(1);
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
};

/** One value, as JSON has it; undefined is one that says nothing. @throws RangeError */
function valueOf(word: string, value: bigint | Buffer, depth: number): unknown {
  if (word === "int") return Number(value);
  if (word === "boolean") return value !== 0n;
  if (typeof value === "bigint") throw new RangeError(`a number stands where ${word} should be`);
  switch (word) {
    case "string":
      return value.toString("utf8");
    case "byte":
      return value.toString("base64");
    case "time":
    case "microtime":
      return timeOf(value, word === "microtime");
    case "intOrString":
      return intOrString(value);
    case "quantity":
      return onlyField(value).toString("utf8");
    case "fields":
      return JSON.parse(onlyField(value).toString("utf8"));
    default:
      return readMessage(word, value, depth + 1);
  }
}

const isZero = (value: unknown): boolean => value === "" || value === 0 || value === false;

function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") throw new RangeError(`the body has the key "__proto__"`);
  target[key] = value;
}

/** An entry of a map: the key is field 1, the value field 2. */
function addEntry(map: Record<string, unknown>, word: string, bytes: Buffer, depth: number): void {
  const parts = partsOf(bytes);
  const value = parts.get(2);
  const empty = word === "int" || word === "boolean" ? 0n : Buffer.alloc(0);
  if (word.startsWith("listed:")) {
    const item = word.slice("listed:".length);
    const items = [...fieldsOf(Buffer.isBuffer(value) ? value : Buffer.alloc(0))];
    setOwn(
      map,
      String(parts.get(1) ?? ""),
      items.map((one) => valueOf(item, one.value, depth)),
    );
  } else setOwn(map, String(parts.get(1) ?? ""), valueOf(word, value ?? empty, depth));
}

function readMessage(type: string, bytes: Buffer, depth: number): Record<string, unknown> {
  if (depth > MAXIMUM_DEPTH) throw new RangeError(`messages are nested deeper than ${MAXIMUM_DEPTH} levels`);
  const fields = fieldsOfType(type);
  const object: Record<string, unknown> = {};
  for (const { number, value } of fieldsOf(bytes)) {
    const field = fields.get(number);
    if (field === undefined) continue;
    const { name, word } = field;
    if (name === "+" && Buffer.isBuffer(value)) Object.assign(object, readMessage(word, value, depth + 1));
    else if (word.startsWith("[]")) {
      const list = (object[name] ??= []) as unknown[];
      list.push(valueOf(word.slice(2), value, depth));
    } else if (word.startsWith("map:")) {
      const map = (object[name] ??= {}) as Record<string, unknown>;
      if (Buffer.isBuffer(value)) addEntry(map, word.slice(4), value, depth);
    } else {
      const read = valueOf(word, value, depth);
      if (read !== undefined && (field.isPointer || !isZero(read))) object[name] = read;
    }
  }
  return object;
}

const bad = (why: string): ApiError => new ApiError("BadRequest", why);

/**
 * Reads a protobuf body as the JSON it stands for. kubectl since 1.32 sends `create`, `auth can-i` and `create token` in no other
 * way, and does not try JSON when that is refused.
 *
 * @throws ApiError BadRequest for what is no such body, or of a kind that is not known
 */
export function readProtobuf(body: Buffer): Record<string, unknown> {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw bad("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  try {
    const envelope = partsOf(body.subarray(MAGIC.length));
    const meta = partsOf(Buffer.isBuffer(envelope.get(1)) ? (envelope.get(1) as Buffer) : Buffer.alloc(0));
    const apiVersion = String(meta.get(1) ?? "");
    const kind = String(meta.get(2) ?? "");
    const raw = envelope.get(2);
    if (!Object.hasOwn(numbers, kind)) {
      throw bad(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
    }
    return { apiVersion, kind, ...(Buffer.isBuffer(raw) ? readMessage(kind, raw, 0) : {}) };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw bad(`the protobuf message cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
