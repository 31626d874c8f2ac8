import type { RequestHead } from "../../request.ts";
import type { Candidate, May } from "../candidate.ts";

/** A way to choose an endpoint for a request without a session. Undefined: none may. `now`: milliseconds since the epoch. */
export type Balancer = (may: May, request: RequestHead, now: number) => Candidate | undefined;
