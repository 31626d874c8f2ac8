import type { NodePlan } from "../../plan/plan.ts";

/** What belongs to no single Service: ranges whose unassigned addresses are to be silence. All else of the node is in the parts. */
export interface UserspaceFrame {
  readonly ranges: readonly string[];
}

export const compileNode = ({ serviceRanges, families }: NodePlan): UserspaceFrame => ({
  ranges: serviceRanges.filter((range) => families.includes(range.includes(":") ? "IPv6" : "IPv4")),
});
