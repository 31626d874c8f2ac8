import { mediaType, parseBytes, readBody } from "../http/body.ts";
import { badRequest } from "../errors.ts";
import { jsonWord } from "../http/json-word.ts";
import { queryFlag, queryNumber, typedObject } from "../http/decode-object.ts";
import type { Exchange } from "../http/exchange.ts";
import { invalid, notSupported, type Fault } from "../../api/fault.ts";
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

/** As the parser shows a value; of a number it shows which one where a whole one is wanted. */
const shown = (value: unknown): string =>
  typeof value === "number" && !Number.isSafeInteger(value) ? `number ${value}` : jsonWord(value);

/** A field that is there, and null as if it were not. @throws ApiError BadRequest for a value of another type */
function optional<T>(value: unknown, field: string, is: (value: unknown) => value is T, type: string): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (!is(value))
    throw badRequest(`json: cannot unmarshal ${shown(value)} into Go struct field ${field} of type ${type}`);
  return value;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

const POLICIES = ["Foreground", "Background", "Orphan"] as const;
const isPolicy = (word: string): word is (typeof POLICIES)[number] => (POLICIES as readonly string[]).includes(word);

/** The options as a body or a query says them, before it is known whether they go together. */
interface Said {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: string | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: DeleteOptions["preconditions"];
  readonly dryRun: readonly string[];
}

function saidInBody(value: unknown): Said {
  const body = typedObject(value);
  if (body["kind"] !== undefined && body["kind"] !== "" && body["kind"] !== "DeleteOptions") {
    const [kind, version] = [JSON.stringify(body["kind"]), JSON.stringify(body["apiVersion"] ?? "")];
    throw badRequest(`no kind ${kind} is registered for version ${version} in scheme "pkg/runtime/scheme.go:111"`);
  }
  const field = <T>(name: string, is: (value: unknown) => value is T, type: string): T | undefined =>
    optional(body[name], `DeleteOptions.${name}`, is, type);
  const gracePeriodSeconds = field("gracePeriodSeconds", isWhole, "int64");
  const preconditions = field("preconditions", isObject, "v1.Preconditions");
  const orphanDependents = field("orphanDependents", isFlag, "bool");
  const propagationPolicy = field("propagationPolicy", isText, "v1.DeletionPropagation");
  const dryRun = field("dryRun", isTexts, "[]string") ?? [];
  const uid = optional(preconditions?.["uid"], "Preconditions.preconditions.uid", isText, "types.UID");
  const resourceVersion = optional(
    preconditions?.["resourceVersion"],
    "Preconditions.preconditions.resourceVersion",
    isText,
    "string",
  );
  const meant = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions: preconditions && meant, dryRun };
}

const saidInQuery = (query: URLSearchParams): Said => ({
  gracePeriodSeconds: queryNumber(query, "gracePeriodSeconds"),
  propagationPolicy: query.get("propagationPolicy") ?? undefined,
  orphanDependents: query.has("orphanDependents") ? queryFlag(query, "orphanDependents") : undefined,
  preconditions: undefined,
  dryRun: query.getAll("dryRun"),
});

function faultsOf({ propagationPolicy: policy, orphanDependents, dryRun }: Said): Fault[] {
  const faults: Fault[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    faults.push(invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (policy !== undefined && !isPolicy(policy)) {
    faults.push(notSupported("propagationPolicy", policy, [...POLICIES, "nil"]));
  }
  if (dryRun.some((word) => word !== "All")) faults.push(notSupported("dryRun", dryRun, ["All"]));
  return faults;
}

/**
 * Checks the options of a DELETE. What the query says counts only when there is no body, as upstream has it.
 *
 * @param body what the body holds; undefined when there is none
 * @throws ApiError BadRequest for what cannot be read, Invalid for what means nothing or does not go together
 */
export function deleteOptionsOf(body: unknown, query: URLSearchParams): DeleteOptions {
  const said = body === undefined ? saidInQuery(query) : saidInBody(body);
  const faults = faultsOf(said);
  if (faults.length > 0) throw invalidObject("meta.k8s.io", "DeleteOptions", "", faults);
  const { propagationPolicy: policy, dryRun, ...rest } = said;
  const byFlag = said.orphanDependents === true ? "Orphan" : undefined;
  return {
    ...rest,
    propagationPolicy: policy !== undefined && isPolicy(policy) ? policy : byFlag,
    dryRun: dryRun.length > 0,
  };
}

/** Reads the options of a DELETE; its body may be missing. */
export async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const body = await readBody(exchange.request);
  if (body.length === 0) return deleteOptionsOf(undefined, exchange.query);
  const { value } = await parseBytes(mediaType(exchange.request), body);
  return deleteOptionsOf(value, exchange.query);
}
