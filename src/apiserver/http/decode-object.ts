import { decode, unknownFields, unknownFieldWords, wrongTypes } from "../../api/decode.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../../api/object.ts";
import { badRequest } from "../errors.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Reads a parsed body as an object of the kind, and tells unknown fields as the request's `fieldValidation` asks (SVC-224).
 *
 * @throws ApiError BadRequest for another kind, for values of a wrong type and, under Strict, for unknown fields
 */
export function decodeObject(
  exchange: Pick<Exchange, "query" | "warnings">,
  kind: Resource & { readonly type: string },
  json: unknown,
): KubeObject {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw badRequest(`the body is not an object: a ${kind.kind} should be sent`);
  }
  const said = json as { apiVersion?: unknown; kind?: unknown };
  const apiVersion = apiVersionOf(kind);
  if (said.kind !== undefined && said.kind !== "" && said.kind !== kind.kind) {
    throw badRequest(
      `the kind in the data (${JSON.stringify(said.kind)}) does not match the expected kind (${kind.kind})`,
    );
  }
  if (said.apiVersion !== undefined && said.apiVersion !== "" && said.apiVersion !== apiVersion) {
    const found = JSON.stringify(said.apiVersion);
    throw badRequest(`the API version in the data (${found}) does not match the expected API version (${apiVersion})`);
  }
  const validation = fieldValidation(exchange.query);
  const { object, unknown, faults } = decode(kind, json);
  if (faults.length > 0) throw wrongTypes(kind, faults);
  if (unknown.length > 0 && validation === "Strict") throw unknownFields(kind, unknown);
  if (validation === "Warn") for (const path of unknown) exchange.warnings.add(unknownFieldWords(path));
  return { ...object, apiVersion, kind: kind.kind };
}

function fieldValidation(query: URLSearchParams): "Strict" | "Warn" | "Ignore" {
  const asked = query.get("fieldValidation") ?? "";
  if (asked === "") return "Warn";
  if (asked === "Strict" || asked === "Warn" || asked === "Ignore") return asked;
  throw badRequest(`fieldValidation: Unsupported value: "${asked}": supported values: "Ignore", "Strict", "Warn"`);
}

/** Whether the request asks for a dry run; any word but `All` is refused. */
export function isDryRun(words: readonly string[]): boolean {
  const asked = words.filter((word) => word !== "");
  if (asked.some((word) => word !== "All")) {
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(asked)}: supported values: "All"`);
  }
  return asked.length > 0;
}

/** A whole number from the query. @throws ApiError BadRequest */
export function queryNumber(query: URLSearchParams, name: string): number | undefined {
  const said = query.get(name);
  if (said === null || said === "") return undefined;
  if (!/^-?\d{1,15}$/.test(said))
    throw badRequest(`${name}: Invalid value: ${JSON.stringify(said)}: must be a whole number`);
  return Number(said);
}

/** True when the flag is given, with any value but `false` and `0` (also with none, as upstream reads it). */
export function queryFlag(query: URLSearchParams, name: string): boolean {
  const said = query.get(name);
  return said !== null && !["false", "0"].includes(said.toLowerCase());
}
