import type { Node } from "../../../api/generated/types.ts";
import { parseQuantity } from "../../../api/meta/quantity.ts";

/** CTL-071: what part of the machines' processors each zone has, all together 1; or why that cannot be said. */
export type ZoneShares = ReadonlyMap<string, number> | "nodes" | "zones";

const CONTROL_PLANE = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

export const zoneOf = (node: Node | undefined): string | undefined =>
  node?.metadata.labels?.["topology.kubernetes.io/zone"] || undefined;

/** Whether pods that serve people are expected on the node. */
function counts({ metadata, status }: Node): boolean {
  const isControlPlane = CONTROL_PLANE.some((label) => metadata.labels?.[label] !== undefined);
  return (
    !isControlPlane && status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true
  );
}

const cpuOf = ({ status }: Node): string => status?.allocatable?.["cpu"] ?? "0";

/** What of a node zone shares are made of, as one word to compare. */
export const zoneFacts = (node: Node): string => (counts(node) ? `${zoneOf(node) ?? ""} ${cpuOf(node)}` : "");

/** CTL-071, CTL-072: the shares of all zones with nodes that count. */
export function zoneShares(nodes: Iterable<Node>): ZoneShares {
  const zones = new Map<string, bigint>();
  let total = 0n;
  for (const node of nodes) {
    if (!counts(node)) continue;
    const zone = zoneOf(node);
    const cpu = parseQuantity(cpuOf(node)).nano;
    if (zone === undefined || cpu <= 0n) return "nodes";
    zones.set(zone, (zones.get(zone) ?? 0n) + cpu);
    total += cpu;
  }
  if (zones.size < 2) return zones.size === 0 ? "nodes" : "zones";
  // Sorted, so that what is decided from them does not depend on the order in which nodes came.
  return new Map(
    [...zones].sort(([a], [b]) => (a < b ? -1 : 1)).map(([zone, cpu]) => [zone, Number(cpu) / Number(total)]),
  );
}
