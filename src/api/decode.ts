import { Misfit } from "./decode/scalars.ts";
import { schemaOf, type Reader, type StructSchema } from "./decode/schema.ts";
import { expectedWords, foundWords, unmarshalWords, type TypeFault } from "./decode/words.ts";
import type { KubeObject, Resource } from "./object.ts";
import { ApiError } from "./status.ts";

export type { TypeFault } from "./decode/words.ts";

/** Deeper nesting than any Kubernetes type has; only values that we do not look into can get there. */
export const DEPTH_MAXIMUM = 100;

export interface Decoded<T extends KubeObject = KubeObject> {
  /** Known fields of the right type. Only fit for use when `faults` is empty. Parts of the input may be shared. */
  readonly object: T;
  /** Paths of the fields that the type does not have: `spec.ports[0].targtPort`. */
  readonly unknown: readonly string[];
  /** All values that do not have their field's type. */
  readonly faults: readonly TypeFault[];
}

/** Where the reading is: names and list positions from the root, and what was found so far. */
class Reading {
  readonly unknown: string[] = [];
  readonly faults: TypeFault[] = [];
  readonly at: (string | number)[] = [];

  path(last?: string): string {
    let path = "";
    for (const step of last === undefined ? this.at : [...this.at, last]) {
      if (typeof step === "number") path += `[${step}]`;
      else if (/^[\w-]+$/.test(step)) path += path === "" ? step : `.${step}`;
      else path += `[${step}]`;
    }
    return path;
  }

  fault(value: unknown, reader: Reader, struct: string, goPath: string, words?: string): undefined {
    this.faults.push({
      path: this.path(),
      expected: expectedWords(reader.word),
      found: foundWords(value),
      upstream: words ?? unmarshalWords(value, reader.word, struct, goPath),
    });
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Sets a key that may be `__proto__`, which assignment would take for the prototype. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else target[key] = value;
}

/** True when arrays and objects lie in each other more than `limit` deep. Does not recurse. */
function isDeeperThan(root: unknown, limit: number): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return false;
}

function readAny(value: unknown, reading: Reading): unknown {
  if (!isDeeperThan(value, DEPTH_MAXIMUM)) return value;
  reading.faults.push({
    path: reading.path(),
    expected: `at most ${DEPTH_MAXIMUM} levels of nesting`,
    found: `more than ${DEPTH_MAXIMUM} levels`,
    upstream: "exceeded max depth",
  });
  return undefined;
}

function readList(
  value: unknown,
  reader: Reader & { shape: "list" },
  reading: Reading,
  struct: string,
  goPath: string,
): unknown {
  if (!Array.isArray(value)) return reading.fault(value, reader, struct, goPath);
  return value.map((item, index) => {
    reading.at.push(index);
    // Go reads null in a list as the zero value.
    const zero = reader.item.shape === "scalar" ? reader.item.zero : {};
    const read = readValue(item ?? zero, reader.item, reading, struct, goPath);
    reading.at.pop();
    return read;
  });
}

function readMap(
  value: unknown,
  reader: Reader & { shape: "map" },
  reading: Reading,
  struct: string,
  goPath: string,
): unknown {
  if (!isObject(value)) return reading.fault(value, reader, struct, goPath);
  const read: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    reading.at.push(key);
    const zero = reader.item.shape === "scalar" ? reader.item.zero : {};
    setOwn(read, key, readValue(value[key] ?? zero, reader.item, reading, struct, goPath));
    reading.at.pop();
  }
  return read;
}

/** What Go leaves out of JSON when the field says so: empty lists and maps, and the zero of a scalar. */
const isEmpty = (value: unknown, reader: Reader): boolean => {
  if (reader.shape === "scalar") return value === reader.zero;
  if (reader.shape === "list") return Array.isArray(value) && value.length === 0;
  return reader.shape === "map" && isObject(value) && Object.keys(value).length === 0;
};

function readStruct(
  value: Record<string, unknown>,
  schema: StructSchema,
  reading: Reading,
  goPath: string,
): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const field = value[key];
    const reader = schema.fields.get(key);
    if (reader === undefined) {
      readAny(field, reading);
      reading.unknown.push(reading.path(key));
    } else if (field !== null && field !== undefined) {
      reading.at.push(key);
      const inner = readValue(field, reader, reading, schema.type, goPath === "" ? key : `${goPath}.${key}`);
      reading.at.pop();
      const isLeftOut = isEmpty(inner, reader) && !schema.keptEmpty.has(key);
      if (inner !== undefined && !isLeftOut) read[key] = inner;
    }
  }
  for (const [field, zero] of schema.zeros) {
    if (read[field] === undefined) read[field] = Array.isArray(zero) ? [] : zero;
  }
  return read;
}

function readValue(value: unknown, reader: Reader, reading: Reading, struct: string, goPath: string): unknown {
  switch (reader.shape) {
    case "scalar": {
      const read = reader.read(value);
      return read instanceof Misfit ? reading.fault(value, reader, struct, goPath, read.words) : read;
    }
    case "struct":
      return isObject(value)
        ? readStruct(value, schemaOf(reader.type), reading, goPath)
        : reading.fault(value, reader, struct, goPath);
    case "list":
      return readList(value, reader, reading, struct, goPath);
    case "map":
      return readMap(value, reader, reading, struct, goPath);
    case "any":
      return readAny(value, reading);
  }
}

/**
 * Reads parsed JSON as an object of a type of the field table (`Service`, `Pod`; a kind's `type`). Unknown fields are dropped and told,
 * null is absent, as are empty lists and maps where Go leaves them out, and all values of a wrong type are told at once. `apiVersion` and
 * `kind` are not compared with anything. Never throws for bad input.
 */
export function decode<T extends KubeObject = KubeObject>(
  type: string | { readonly type: string },
  json: unknown,
): Decoded<T> {
  const name = typeof type === "string" ? type : type.type;
  const reading = new Reading();
  const read = readValue(json, { shape: "struct", word: name, type: name }, reading, name, "") ?? {};
  const object = read as T;
  object.metadata ??= {};
  return { object, unknown: reading.unknown, faults: reading.faults };
}

const cannotHandle = (resource: Pick<Resource, "kind" | "version">, why: string): string =>
  `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: ${why}`;

/** The 400 for values of a wrong type: upstream's sentence for the first, every one of them in `details.causes`. */
export function wrongTypes(resource: Pick<Resource, "kind" | "version">, faults: readonly TypeFault[]): ApiError {
  return new ApiError("BadRequest", cannotHandle(resource, faults[0]?.upstream ?? "unreadable"), {
    kind: resource.kind,
    causes: faults.map(({ path, expected, found }) => ({
      reason: "FieldValueTypeInvalid",
      field: path,
      message: `expected ${expected}, found ${found}`,
    })),
  });
}

/** `unknown field "spec.foo"`, as it stands in a warning and in a strict refusal. */
export const unknownFieldWords = (path: string): string => `unknown field ${JSON.stringify(path)}`;

/** The 400 of `fieldValidation=Strict` (SVC-224). */
export function unknownFields(resource: Pick<Resource, "kind" | "version">, paths: readonly string[]): ApiError {
  return new ApiError(
    "BadRequest",
    cannotHandle(resource, `strict decoding error: ${paths.map(unknownFieldWords).join(", ")}`),
  );
}
