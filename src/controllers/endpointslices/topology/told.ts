import type { IPFamily } from "../../../net/ip.ts";
import type { Problem } from "./hint.ts";

/** What was last told of a Service's hints, for each family: that it has them, or why not. Nothing while it asks for none. */
export type Told = Readonly<Partial<Record<IPFamily, "enabled" | Problem | undefined>>>;

export interface HintEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "TopologyAwareHintsEnabled" | "TopologyAwareHintsDisabled";
  readonly message: string;
}

const WHY: Readonly<Record<Problem, string>> = {
  nodes: "every ready node should say its zone and its allocatable cpu, and not all do",
  zones: "the ready nodes should be in two zones at least, and are in one",
  endpoints: "there should be at least as many ready endpoints as zones, and there are fewer",
  zoneless: "every ready endpoint should be on a node with a zone, and not all are",
  overload: "the endpoints are too few to give each zone its share without any getting more than 20 % beyond its own",
};

/** CTL-072, CTL-074, CTL-076: what there is to tell of one family's hints after what was told before. */
export function tellHints(
  family: IPFamily,
  before: "enabled" | Problem | undefined,
  now: "enabled" | Problem | undefined,
): HintEvent[] {
  if (before === now) return [];
  if (now === "enabled") {
    const message = `Topology aware hints are given, addressType: ${family}`;
    return [{ type: "Normal", reason: "TopologyAwareHintsEnabled", message }];
  }
  if (now === undefined && before !== "enabled") return [];
  const why = now === undefined ? "the Service no longer asks for them" : WHY[now];
  const message = `No topology aware hints are given: ${why}, addressType: ${family}`;
  return [{ type: "Warning", reason: "TopologyAwareHintsDisabled", message }];
}
