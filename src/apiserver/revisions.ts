import { badRequest } from "./errors.ts";

/** The `resourceVersion` a request asks for; undefined when it asks for none, or for any (`0`). @throws ApiError BadRequest */
export function revisionAsked(query: URLSearchParams): number | undefined {
  const said = query.get("resourceVersion") ?? "";
  if (said === "" || said === "0") return undefined;
  if (!/^\d{1,15}$/.test(said)) {
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(said)}: must be a version this server gave`);
  }
  return Number(said);
}

/** Where a list goes on: the revision all pages are read at, and the last key already told. */
export interface Continue {
  readonly revision: number;
  readonly after: string;
}

export const encodeContinue = ({ revision, after }: Continue): string =>
  Buffer.from(JSON.stringify({ v: "fairlead/v1", rv: revision, after })).toString("base64url");

/** Reads a token made by {@link encodeContinue} for keys under the prefix. @throws ApiError BadRequest */
export function decodeContinue(token: string, prefix: string): Continue {
  try {
    const { v, rv, after } = JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as Record<string, unknown>;
    if (v === "fairlead/v1" && Number.isSafeInteger(rv) && typeof after === "string" && after.startsWith(prefix)) {
      // Minus one is the token of an expired list: it goes on with what is there now.
      return { revision: rv as number, after };
    }
  } catch {
    // Told below, whatever is wrong with it.
  }
  throw badRequest("continue key is not valid: it should be the one of the list's previous answer");
}
