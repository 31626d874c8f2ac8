import type { Balance, ServicePortPlan, Target } from "../../plan/plan.ts";

/** The kernel's scheduler for a way of balancing, and the one that heeds weights too. IPVS has none that chooses at random. */
const OF_BALANCE: { readonly [name in Balance]?: readonly [even: string, weighted: string] } = {
  "round-robin": ["rr", "wrr"],
  "least-connections": ["lc", "wlc"],
  maglev: ["mh", "mh"],
  "source-hash": ["sh", "sh"],
};

const WEIGHTED: Readonly<Record<string, string>> = { rr: "wrr", lc: "wlc" };

/** Without the fallback a client whose share belongs to a removed endpoint would be refused. */
const FLAGS: Readonly<Record<string, string>> = { mh: " -b mh-fallback", sh: " -b sh-fallback" };

/** ipvsadm's words for how a virtual server chooses: scheduler, persistence, flags. `usual` is the node's scheduler. */
export function choice(
  { balance, affinitySeconds }: Pick<ServicePortPlan, "balance" | "affinitySeconds">,
  targets: readonly Target[],
  usual: string,
): string {
  const uneven = targets.some(({ weight }) => weight !== targets[0]!.weight);
  const pair = balance === undefined ? undefined : OF_BALANCE[balance];
  const scheduler = pair === undefined ? (uneven ? (WEIGHTED[usual] ?? usual) : usual) : pair[uneven ? 1 : 0];
  const persistence = affinitySeconds === undefined ? "" : ` -p ${affinitySeconds}`;
  return `-s ${scheduler}${persistence}${FLAGS[scheduler] ?? ""}`;
}

/**
 * How the list for outsiders chooses. A virtual server that is named by a mark and remembers clients does not
 * translate ports (ip_vs_sched_persist, Linux 2.6 … 6.1), so a hash of the client's address stands in for the memory.
 */
export function markedChoice(
  port: Pick<ServicePortPlan, "balance" | "affinitySeconds">,
  targets: readonly Target[],
  usual: string,
): string {
  return port.affinitySeconds === undefined
    ? choice(port, targets, usual)
    : choice({ balance: "maglev", affinitySeconds: undefined }, targets, usual);
}
