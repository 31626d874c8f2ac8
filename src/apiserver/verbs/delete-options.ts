import { mediaType, parseBytes, readBody } from "../http/body.ts";
import { badRequest } from "../errors.ts";
import { isDryRun, queryNumber } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Fault } from "../../api/fault.ts";
import { invalidObject } from "../../api/status.ts";

/** How a deletion is to be done, from the body or the query. */
export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: "Orphan" | "Background" | "Foreground" | undefined;
  /** The deprecated form, kept because it decides the answer's code. */
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly dryRun: boolean;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function optional<T>(value: unknown, field: string, is: (value: unknown) => value is T, words: string): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (!is(value))
    throw badRequest(`DeleteOptions: ${field}: Invalid value: ${JSON.stringify(value)}: must be ${words}`);
  return value;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

/** Checks a DeleteOptions object. @throws ApiError BadRequest */
export function deleteOptionsOf(body: unknown, query: URLSearchParams): DeleteOptions {
  if (body !== undefined && !isObject(body)) throw badRequest("the body is not a DeleteOptions object");
  const said = body ?? {};
  if (said["kind"] !== undefined && said["kind"] !== "DeleteOptions") {
    const [kind, version] = [JSON.stringify(said["kind"]), JSON.stringify(said["apiVersion"] ?? "")];
    throw badRequest(`no kind ${kind} is registered for version ${version} in scheme "pkg/runtime/scheme.go:111"`);
  }
  const orphans =
    optional(said["orphanDependents"], "orphanDependents", isFlag, "true or false") ??
    (query.has("orphanDependents") ? query.get("orphanDependents") === "true" : undefined);
  const policy =
    optional(said["propagationPolicy"], "propagationPolicy", isText, "text") ??
    query.get("propagationPolicy") ??
    undefined;
  if (policy !== undefined && policy !== "Orphan" && policy !== "Background" && policy !== "Foreground") {
    const supported = `supported values: "Foreground", "Background", "Orphan", "nil"`;
    const message = `Unsupported value: ${JSON.stringify(policy)}: ${supported}`;
    const fault: Fault = { reason: "FieldValueNotSupported", field: "propagationPolicy", message };
    throw invalidObject("meta.k8s.io", "DeleteOptions", "", [fault]);
  }
  const preconditions = optional(said["preconditions"], "preconditions", isObject, "an object");
  const uid = optional(preconditions?.["uid"], "preconditions.uid", isText, "text");
  const resourceVersion = optional(preconditions?.["resourceVersion"], "preconditions.resourceVersion", isText, "text");
  return {
    gracePeriodSeconds:
      optional(said["gracePeriodSeconds"], "gracePeriodSeconds", isWhole, "a whole number") ??
      queryNumber(query, "gracePeriodSeconds"),
    propagationPolicy: policy ?? (orphans === true ? "Orphan" : undefined),
    orphanDependents: orphans,
    preconditions:
      preconditions === undefined
        ? undefined
        : { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    dryRun: isDryRun([
      ...(optional(said["dryRun"], "dryRun", isTexts, "a list of words") ?? []),
      ...query.getAll("dryRun"),
    ]),
  };
}

/** Reads the options of a DELETE; its body may be missing. */
export async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const body = await readBody(exchange.request);
  if (body.length === 0) return deleteOptionsOf(undefined, exchange.query);
  const { value } = await parseBytes(mediaType(exchange.request), body);
  return deleteOptionsOf(value, exchange.query);
}
