import type { Service } from "../../api/generated/types.ts";
import { heldNodePorts, type NodePortRange } from "../claims/plan-node-ports.ts";
import type { Held } from "../claims/reader.ts";
import type { Finding } from "./finding.ts";

export type NodePortRepair =
  /** The claim of a Service that lacks it; `replaces` is the wrong one that is there. */
  | { readonly type: "claim"; readonly port: number; readonly service: Service; readonly replaces: Held | undefined }
  | { readonly type: "free"; readonly port: number; readonly held: Held };

export type NodePortFinding = Finding<NodePortRepair>;

/** Claims that no Service stands behind, by port: at how many rounds they were found so. */
export type Leaks = ReadonlyMap<number, number>;

export interface NodePortState {
  /** The oldest first: of two that hold one port it keeps it. */
  readonly services: readonly Service[];
  readonly claims: ReadonlyMap<number, Held>;
  readonly range: NodePortRange;
  readonly leaks: Leaks;
}

export interface NodePortVerdict {
  readonly findings: readonly NodePortFinding[];
  readonly leaks: Leaks;
}

/** Rounds at which a claim must be found without a Service before it is freed. */
const ROUNDS = 3;

const isOf = (held: Held, { metadata }: Service): boolean =>
  held.holder?.namespace === metadata.namespace && held.holder?.name === metadata.name;

/** What is wrong with the node ports of all Services together, and with the claims on them (SVC-278). */
export function decideNodePorts({ services, claims, range, leaks }: NodePortState): NodePortVerdict {
  const findings: NodePortFinding[] = [];
  const holders = new Map<number, Service[]>();
  for (const service of services) {
    for (const port of heldNodePorts(service)) {
      const before = holders.get(port);
      if (before === undefined) holders.set(port, [service]);
      else before.push(service);
    }
  }
  for (const [port, all] of holders) {
    const complaint = (about: Service, reason: string, message: string) => ({
      about,
      reason,
      action: "PortAllocation",
      message,
    });
    if (port < range.first || port > range.last) {
      const message = `Port ${port} is not within the port range ${range.first}-${range.last}; please recreate service`;
      for (const service of all) findings.push({ complaint: complaint(service, "PortOutOfRange", message) });
      continue;
    }
    const held = claims.get(port);
    const rightful = all.find((service) => held !== undefined && isOf(held, service));
    const owner = rightful ?? all[0]!;
    if (rightful === undefined) {
      findings.push({
        complaint: complaint(owner, "PortNotAllocated", `Port ${port} is not allocated; repairing`),
        repair: { type: "claim", port, service: owner, replaces: held },
      });
    }
    const message = `Port ${port} was assigned to multiple services; please recreate service`;
    for (const service of all) {
      if (service !== owner) findings.push({ complaint: complaint(service, "PortAlreadyAllocated", message) });
    }
  }
  const still = new Map<number, number>();
  for (const [port, held] of claims) {
    if (holders.has(port)) continue;
    const rounds = (leaks.get(port) ?? 0) + 1;
    if (rounds >= ROUNDS) findings.push({ repair: { type: "free", port, held } });
    else still.set(port, rounds);
  }
  return { findings, leaks: still };
}
