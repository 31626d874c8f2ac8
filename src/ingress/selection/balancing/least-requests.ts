import type { Candidates } from "../candidate.ts";
import { betterOfTwo } from "./of-two.ts";
import type { Balancer } from "./balancer.ts";

/** The one of two with fewer requests under way for its weight. */
export const leastRequests =
  (candidates: Candidates): Balancer =>
  (may) =>
    betterOfTwo(
      candidates,
      may,
      (second, first) => second.state.underWay / second.endpoint.weight < first.state.underWay / first.endpoint.weight,
    );
