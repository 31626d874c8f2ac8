import type { Identity } from "./identity.ts";

/** What became of a bearer token: whom it speaks for and for which of the audiences asked, or why it is refused. */
export type TokenVerdict =
  | { readonly identity: Identity; readonly audiences: readonly string[] }
  | { readonly refused: string };

/**
 * Judges a bearer token for somebody who is known by one of these audiences. A token may be for another service than this API, and must not
 * open it then.
 */
export type TokenJudge = (token: string, audiences: readonly string[]) => Promise<TokenVerdict>;
