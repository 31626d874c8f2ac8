import type { BackendPlan, Balance } from "../plan/plan.ts";
import type { Balancer } from "./balancing/balancer.ts";
import { ewma } from "./balancing/ewma.ts";
import { fewestSessions } from "./balancing/fewest-sessions.ts";
import { hash } from "./balancing/hash.ts";
import { leastRequests } from "./balancing/least-requests.ts";
import { roundRobin } from "./balancing/round-robin.ts";
import type { Candidate, Candidates } from "./candidate.ts";
import { newState, type EndpointState } from "./endpoint-state.ts";
import { sessionsOf, type Sessions } from "./sessions.ts";
import { createTurns, type TurnTime } from "./turns.ts";

/** What is remembered of a backend over changes of the plan. */
export interface BackendState {
  /** By key. */
  readonly endpoints: Map<string, EndpointState>;
  readonly time: TurnTime;
}

/** A backend of one plan, prepared to be chosen from. */
export interface BackendView {
  readonly backend: BackendPlan;
  readonly sessions: Sessions;
  /** Those that may get new clients. */
  readonly open: readonly Candidate[];
  /** Those that keep their sessions, and are better than nobody. */
  readonly draining: readonly Candidate[];
  readonly balance: Balancer;
  readonly fewestSessions: Balancer;
}

export function backendView(backend: BackendPlan, state: BackendState, random: () => number): BackendView {
  const all = backend.endpoints.map((endpoint) => {
    const known = state.endpoints.get(endpoint.key);
    const own = known ?? newState();
    if (known === undefined) state.endpoints.set(endpoint.key, own);
    return { endpoint, state: own };
  });
  const open = all.filter(({ endpoint }) => endpoint.state === "serving" && endpoint.weight > 0);
  const candidates: Candidates = { all: open, turns: createTurns(open, state.time, random), random };
  return {
    backend,
    sessions: sessionsOf(all),
    open,
    draining: all.filter(({ endpoint }) => endpoint.state === "draining"),
    balance: balancerOf(backend.settings.balance, candidates),
    fewestSessions: fewestSessions(candidates),
  };
}

function balancerOf(balance: Balance, candidates: Candidates): Balancer {
  switch (balance.algorithm) {
    case "round-robin":
      return roundRobin(candidates);
    case "least-requests":
      return leastRequests(candidates);
    case "ewma":
      return ewma(candidates);
    case "hash":
      return hash(candidates, balance.key);
  }
}
