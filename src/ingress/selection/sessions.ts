import type { Candidate } from "./candidate.ts";

/** A session that a client has. */
export interface Session {
  readonly candidate: Candidate;
  /** The client's token was made with a former key. */
  readonly isFormer: boolean;
}

export type Sessions = ReadonlyMap<string, Session>;

/** Endpoints by what cookies say of them. Serving, draining, of whatever weight: each keeps its sessions. */
export function sessionsOf(candidates: readonly Candidate[]): Sessions {
  const sessions = new Map<string, Session>();
  for (const candidate of candidates) {
    for (const [at, token] of candidate.endpoint.tokens.entries()) {
      sessions.set(token, { candidate, isFormer: at > 0 });
    }
  }
  return sessions;
}
