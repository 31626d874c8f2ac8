import type { EndpointPlan } from "../plan/plan.ts";
import type { EndpointState } from "./endpoint-state.ts";

/** An endpoint of a plan with what is known of it. */
export interface Candidate {
  readonly endpoint: EndpointPlan;
  readonly state: EndpointState;
}

/** Whether this request may go there. */
export type May = (candidate: Candidate) => boolean;

/** Those that may get new clients, and what balancing needs beside them. None is of weight 0. */
export interface Candidates {
  readonly all: readonly Candidate[];
  readonly turns: Turns;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

export interface Turns {
  /** Whose turn it is among those that may; each has its turn as often as its weight says. Undefined: none may. */
  next(may: May): Candidate | undefined;
}
