import type { Candidates } from "../candidate.ts";
import type { Balancer } from "./balancer.ts";

/** Turn after turn, by weight. */
export const roundRobin =
  ({ turns }: Candidates): Balancer =>
  (may) =>
    turns.next(may);
