import type { ApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { readJson } from "../http/body.ts";
import { jsonWord } from "../http/json-word.ts";

/** Where a list goes on: the revision all pages are read at, and the last key already told. */
export interface Continue {
  /** Minus one goes on with what is there now. */
  readonly revision: number;
  readonly after: string;
}

const VERSION = "meta.k8s.io/v1";

/** What follows a key at once in the order of keys, so that a page that starts there starts behind it. */
const NEXT = "\0";

const refused = (why: string): ApiError => badRequest(`invalid continue token: continue key is not valid: ${why}`);

/**
 * Writes a token as upstream does: a key is told without the prefix of the list, so that the token shows nothing of the store and can only
 * lead to objects of the list it is given to.
 */
export const encodeContinue = ({ revision, after }: Continue, prefix: string): string =>
  Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: `/${after.slice(prefix.length)}${NEXT}` })).toString(
    "base64url",
  );

/** The bytes of a token. @throws ApiError BadRequest, naming the first sign that is none of the alphabet (RFC 4648, section 5) */
function textOf(token: string): string {
  const wrong = token.search(/[^\w-]/);
  const at = wrong < 0 && token.length % 4 === 1 ? token.length - 1 : wrong;
  if (at >= 0) throw refused(`illegal base64 data at input byte ${at}`);
  return Buffer.from(token, "base64url").toString("utf8");
}

function fieldsOf(token: string): Record<string, unknown> {
  const fields = readJson(textOf(token), refused);
  return typeof fields === "object" && fields !== null ? (fields as Record<string, unknown>) : {};
}

/** Reads a token for keys under a prefix. @throws ApiError BadRequest */
export function decodeContinue(token: string, prefix: string): Continue {
  const { v = "", rv = 0, start = "" } = fieldsOf(token);
  if (!Number.isSafeInteger(rv)) {
    throw refused(`json: cannot unmarshal ${jsonWord(rv)} into Go struct field continueToken.rv of type int64`);
  }
  if (typeof start !== "string" || typeof v !== "string") {
    throw refused(`json: cannot unmarshal ${jsonWord(start)} into Go struct field continueToken.start of type string`);
  }
  if (v !== VERSION) throw refused(`server does not recognize this encoded version ${v}`);
  if (rv === 0) throw refused(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (start === "") throw refused(`encoded start key empty (version ${VERSION})`);
  const key = start.replace(/^\//, "");
  // A key is never a way out of the list's own prefix.
  if (key.split("/").some((word) => word === "" || word === "." || word === "..")) throw refused(start);
  return { revision: Math.max(rv as number, -1), after: prefix + (key.endsWith(NEXT) ? key.slice(0, -1) : key) };
}
