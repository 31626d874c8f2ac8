import type { BackendPlan, Balance, RoutePlan } from "../../../plan/plan.ts";
import type { Retry } from "../../../settings/settings.ts";
import { hashKeyFormat } from "./hash-key.ts";
import { retryLines } from "./retries.ts";

/**
 * What of a backend is fixed at start. Backends that are the same in this can take each other's place, so some of each are kept in store for what
 * comes. Two profiles with the same name have the same lines.
 */
export interface Profile {
  readonly name: string;
  /** Lines of its section. */
  readonly lines: readonly string[];
  /** With what its routes may want of a session, a deadline or a header; without, it costs them nothing. */
  readonly rich: boolean;
}

function balanceLines(balance: Balance): string[] {
  switch (balance.algorithm) {
    case "least-requests":
      return ["balance leastconn"];
    case "hash":
      return [
        `http-request set-var-fmt(txn.key) "${hashKeyFormat(balance.key)}"`,
        "balance hash var(txn.key)",
        "hash-type consistent",
      ];
    case "round-robin":
    case "ewma":
      return ["balance roundrobin"];
  }
}

function profile(balance: Balance, connect: number, retry: Retry, rich: boolean): Profile {
  const lines = [...balanceLines(balance), `timeout connect ${connect}ms`, ...retryLines(retry)];
  return { name: `${rich ? "rich" : "plain"} ${lines.join("; ")}`, lines, rich };
}

/** Of a backend as a route uses it. Pure. */
export const profileOf = ({ settings }: BackendPlan, route: RoutePlan, rich: boolean): Profile =>
  profile(settings.balance, route.settings.timeouts.connect, route.settings.retry, rich);

/** Those of routes whose Ingress says nothing of it: kept in store even before there is one. */
export const USUAL_PROFILES: readonly Profile[] = [false, true].map((rich) =>
  profile(
    { algorithm: "round-robin" },
    5000,
    { on: new Set(["error", "timeout"] as const), nonIdempotent: false, tries: 3, timeout: 0 },
    rich,
  ),
);
