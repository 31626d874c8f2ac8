import type { Candidate, Candidates } from "../candidate.ts";
import { latencyOf } from "../endpoint-state.ts";
import { betterOfTwo } from "./of-two.ts";
import type { Balancer } from "./balancer.ts";

/**
 * The one of two that answers sooner: its latency lately (peak EWMA over 10 s, as in ingress-nginx) times what is under way there. One that
 * nobody has seen yet is taken to be as quick as the other, so that it is not overrun.
 */
export const ewma =
  (candidates: Candidates): Balancer =>
  (may, _, now) =>
    betterOfTwo(candidates, may, (second, first) => {
      const cost = (one: Candidate, other: Candidate): number =>
        (latencyOf(one.state, now) ?? latencyOf(other.state, now) ?? 1) * (one.state.underWay + 1);
      return cost(second, first) < cost(first, second);
    });
