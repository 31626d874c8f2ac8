import type { BackendPlan, EndpointPlan, IngressPlan, RoutePlan } from "../plan/plan.ts";
import type { RequestHead } from "../request.ts";

/** An endpoint that was chosen for a request. */
export interface Choice {
  readonly backend: BackendPlan;
  readonly endpoint: EndpointPlan;
  /** The session cookie that the response is to set; undefined where the client has it, or the route gives none. */
  readonly setCookie: string | undefined;
  /** Must be called once for each choice: when the response has ended, or this try has failed. `latency`: seconds to its first byte, if there was one. */
  done(outcome: "ended" | "failed", latency?: number): void;
}

/** What of earlier tries of the same request is to be considered. */
export interface Tried {
  /** Keys of endpoints that are not to be asked again, unless there is no other. */
  readonly endpoints: ReadonlySet<string>;
}

/** Chooses endpoints: canaries, sessions, balancing. Keeps what is under way by backend and endpoint over changes of the plan. */
export interface Selection {
  /** Undefined: the route has no endpoint that may get this request (503). */
  choose(route: RoutePlan, plan: IngressPlan, request: RequestHead, tried?: Tried): Choice | undefined;
  /** Forgets what no plan that is in force has any more. */
  follow(plan: IngressPlan): void;
}
