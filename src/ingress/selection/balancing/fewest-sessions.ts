import type { Candidate, Candidates } from "../candidate.ts";
import { begunLately } from "../endpoint-state.ts";
import { betterOfTwo } from "./of-two.ts";
import type { Balancer } from "./balancer.ts";

/** For new clients of affinity mode `balanced`: the one of two where fewer sessions began lately for its weight, so that growth evens out. */
export const fewestSessions =
  (candidates: Candidates): Balancer =>
  (may, _, now) =>
    betterOfTwo(candidates, may, (second, first) => {
      const share = ({ endpoint, state }: Candidate): number => begunLately(state, now) / endpoint.weight;
      return share(second) < share(first);
    });
