import { parseDocument } from "yaml";
import { parseDuration } from "../../api/duration.ts";
import { API_VERSION, FIELDS, KIND, type FieldType, type GivenConfiguration, type Schema } from "./schema.ts";

/** A configuration as it was read, and what a strict reader would have refused (PRX-252). */
export interface Decoded {
  readonly given: GivenConfiguration;
  readonly warnings: readonly string[];
}

/** A file that is no KubeProxyConfiguration: one sentence. */
export class NotConfiguration extends Error {
  override readonly name = "NotConfiguration";
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const NAMES: Readonly<Record<FieldType, string>> = {
  string: "a text",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  duration: "a duration such as 30s, 1m30s or 2h",
  strings: "a list of texts",
  gates: "names with true or false",
  any: "anything",
};

const isRight = (type: Exclude<FieldType, "duration">, value: unknown): boolean => {
  switch (type) {
    case "string":
    case "boolean":
    case "number":
      return typeof value === type;
    case "integer":
      return Number.isInteger(value);
    case "strings":
      return Array.isArray(value) && value.every((one) => typeof one === "string");
    case "gates":
      return isFields(value) && Object.values(value).every((one) => typeof one === "boolean");
    case "any":
      return true;
  }
};

function readField(type: FieldType, value: unknown, path: string): unknown {
  const wrong = (): NotConfiguration =>
    new NotConfiguration(`${path} is ${JSON.stringify(value)}; it should be ${NAMES[type]}`);
  if (type === "duration") {
    // Go also reads a bare number there, as nanoseconds.
    const milliseconds =
      typeof value === "string" ? parseDuration(value) : typeof value === "number" ? value / 1e6 : undefined;
    if (milliseconds === undefined) throw wrong();
    return milliseconds;
  }
  if (!isRight(type, value)) throw wrong();
  return value;
}

function readFields(schema: Schema, value: unknown, path: string, warnings: string[]): Record<string, unknown> {
  if (!isFields(value)) throw new NotConfiguration(`${path} is ${JSON.stringify(value)}; it should be a map of fields`);
  const read: Record<string, unknown> = {};
  for (const [name, held] of Object.entries(value)) {
    const field = Object.hasOwn(schema, name) ? schema[name] : undefined;
    const at = path === "" ? name : `${path}.${name}`;
    if (field === undefined) warnings.push(`unknown field ${JSON.stringify(at)}`);
    else if (held === null) continue;
    else read[name] = typeof field === "string" ? readField(field, held, at) : readFields(field, held, at, warnings);
  }
  return read;
}

/**
 * Reads a KubeProxyConfiguration from YAML or JSON. Fields that are unknown or there twice are passed over and named in the warnings.
 * Throws {@link NotConfiguration} for a value of the wrong type, another kind, or what is no YAML.
 */
export function decode(text: string): Decoded {
  const warnings: string[] = [];
  const document = parseDocument(text, { version: "1.1", uniqueKeys: false });
  if (document.errors[0] !== undefined) throw new NotConfiguration(`it is no YAML: ${document.errors[0].message}`);
  for (const error of parseDocument(text, { version: "1.1" }).errors) {
    warnings.push(
      error.code === "DUPLICATE_KEY" ? `a field is there twice: ${error.message.split("\n")[0]}` : error.message,
    );
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isFields(value)) throw new NotConfiguration("it holds no map of fields");
  const { apiVersion, kind, ...fields } = value;
  if (apiVersion !== API_VERSION || kind !== KIND) {
    throw new NotConfiguration(
      `it is ${JSON.stringify(kind ?? "")} of ${JSON.stringify(apiVersion ?? "")}; it should be ${KIND} of ${API_VERSION}`,
    );
  }
  return { given: readFields(FIELDS, fields, "", warnings), warnings };
}
