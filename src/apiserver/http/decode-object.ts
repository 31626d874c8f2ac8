import { decode, wrongTypes } from "../../api/decode.ts";
import { notSupported, type Fault } from "../../api/fault.ts";
import { fields } from "../../api/generated/fields.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../../api/object.ts";
import { type ApiError, invalidObject, isApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { mediaType, parseBytes, readBody, type Parsed } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { NOTHING_TWICE, strictWords, type Repeated } from "./repeated-keys.ts";

type Typed = Resource & { readonly type: string };
type Asked = Pick<Exchange, "query" | "warnings" | "method">;

/** The options object that each method's query stands for; faults in the query are told as faults of it. */
const OPTIONS: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
  DELETE: "DeleteOptions",
};

const invalidOptions = (method: string, fault: Fault): ApiError =>
  invalidObject("meta.k8s.io", OPTIONS[method] ?? "ListOptions", "", [fault]);

const cannotHandle = (kind: Resource, said: { kind: string; version: string }, why: string): ApiError =>
  badRequest(`${said.kind} in version ${JSON.stringify(said.version)} cannot be handled as a ${kind.kind}: ${why}`);

const goGroup = (group: string): string => (group === "" ? "core" : group.split(".")[0]!);

const isRoot = (kind: string): boolean => Object.hasOwn(fields, kind) && fields[kind]!["kind"] !== undefined;

/** What a body says it is. @throws ApiError BadRequest for another kind or version than the URL's */
function checkKind(kind: Typed, json: Record<string, unknown>): void {
  const said = json as { apiVersion?: string; kind?: string };
  const apiVersion = said.apiVersion ? said.apiVersion : apiVersionOf(kind);
  const name = said.kind ? said.kind : kind.kind;
  if (name === kind.kind && apiVersion === apiVersionOf(kind)) return;
  const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
  const isKnown = isRoot(name) && name !== kind.kind;
  const why = isKnown
    ? `converting (${version}.${name}) to (${goGroup(kind.group)}.${kind.kind}): unknown conversion`
    : `no kind ${JSON.stringify(name)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`;
  throw cannotHandle(kind, { kind: name, version }, why);
}

/** What Go reads a body's kind and version into. */
const GO_TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function asObject(json: unknown): Record<string, unknown> {
  if (json === null) return {};
  if (typeof json === "object" && !Array.isArray(json)) return json as Record<string, unknown>;
  const found = Array.isArray(json) ? "array" : typeof json === "boolean" ? "bool" : typeof json;
  const words = `json: cannot unmarshal ${found} into Go value of type ${GO_TYPE_META}`;
  throw badRequest(`couldn't get version/kind; json parse error: ${words}`);
}

/** A parsed body whose kind and version are texts, where it has them. @throws ApiError BadRequest */
export function typedObject(parsed: unknown): Record<string, unknown> {
  const json = asObject(parsed);
  for (const field of ["apiVersion", "kind"]) {
    const value = json[field] ?? "";
    if (typeof value === "string") continue;
    const found = typeof value === "boolean" ? "bool" : Array.isArray(value) ? "array" : typeof value;
    const words = `json: cannot unmarshal ${found} into Go struct field .${field} of type string`;
    throw badRequest(`couldn't get version/kind; json parse error: ${words}`);
  }
  return json;
}

/**
 * Reads a parsed body as an object of the kind, and tells unknown fields, and keys that are there twice, as the request's
 * `fieldValidation` asks (SVC-224).
 *
 * @throws ApiError BadRequest for another kind, for values of a wrong type and, under Strict, for unknown fields
 */
export function decodeObject(
  exchange: Asked,
  kind: Typed,
  json: unknown,
  repeated: Repeated = NOTHING_TWICE,
): KubeObject {
  const said = typedObject(json);
  checkKind(kind, said);
  const validation = fieldValidation(exchange);
  const { object, unknown, faults } = decode(kind, said);
  if (faults.length > 0) throw wrongTypes(kind, faults);
  if (validation !== "Ignore" && (unknown.length > 0 || repeated.kind !== "none")) {
    const { warnings, refusal } = strictWords(repeated, unknown);
    if (validation === "Strict") throw cannotHandle(kind, kind, `strict decoding error: ${refusal}`);
    for (const warning of warnings) exchange.warnings.add(warning);
  }
  return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
}

/** Bytes of a body that are shown when it cannot be read. */
const SHOWN = 30;

/** The beginning of a body: as it is when it looks like JSON, else in hexadecimal. */
function shownBody(body: Buffer): string {
  if (body.length === 0) return "<empty>";
  const shown = body.subarray(0, SHOWN).toString(body[0] === 0x7b ? "utf8" : "hex");
  return body.length > SHOWN ? `${shown} ...` : shown;
}

/** Reads the body of a request as an object of the kind. @throws ApiError */
export async function readObject(exchange: Asked & Pick<Exchange, "request">, kind: Typed): Promise<KubeObject> {
  const bytes = await readBody(exchange.request);
  let parsed: Parsed;
  try {
    parsed = await parseBytes(mediaType(exchange.request), bytes);
    typedObject(parsed.value);
  } catch (error) {
    if (!isApiError(error, "BadRequest")) throw error;
    const shown = shownBody(bytes);
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${error.message} (${shown})`);
  }
  return decodeObject(exchange, kind, parsed.value, parsed.repeated);
}

const VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

function fieldValidation({ query, method }: Asked): "Strict" | "Warn" | "Ignore" {
  const asked = query.get("fieldValidation") ?? "";
  if (asked === "") return "Warn";
  if (asked === "Strict" || asked === "Warn" || asked === "Ignore") return asked;
  throw invalidOptions(method, notSupported("fieldValidation", asked, VALIDATIONS));
}

/** The bounds of a whole number of 64 bits. */
const MAXIMUM_WHOLE = 2n ** 63n;

/** A whole number from the query. @throws ApiError BadRequest */
export function queryNumber(query: URLSearchParams, name: string): number | undefined {
  const said = query.get(name);
  if (said === null) return undefined;
  const fault = (why: string): ApiError => badRequest(`strconv.ParseInt: parsing ${JSON.stringify(said)}: ${why}`);
  if (!/^[+-]?\d+$/.test(said)) throw fault("invalid syntax");
  const value = BigInt(said);
  if (value >= MAXIMUM_WHOLE || value < -MAXIMUM_WHOLE) throw fault("value out of range");
  return Number(value);
}

/** True when the flag is given, with any value but `false` and `0` (also with none, as upstream reads it). */
export function queryFlag(query: URLSearchParams, name: string): boolean {
  const said = query.get(name);
  return said !== null && !["false", "0"].includes(said.toLowerCase());
}
