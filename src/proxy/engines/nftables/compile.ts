import { familyOf, type IPFamily } from "../../../net/ip.ts";
import type { Destination, NodePlan, Protocol, ServicePlan, ServicePortPlan, Target } from "../../plan/plan.ts";
import type { Element, SetName } from "./elements.ts";
import { inRanges, rangesOf, rangeText } from "./ranges.ts";
import { MASQUERADE, type ListName, type Masquerade } from "./listid.ts";

export type L4 = "tcp" | "udp" | "sctp";

/** A way in, before the Service port has a number. */
export interface Entrance {
  readonly map: "fe" | "feo" | "np" | "npo";
  readonly key: string;
  readonly list: ListName;
  readonly masquerade: Masquerade;
}

/** One Service port in one family, before it has a number. */
export interface PortPart {
  readonly id: string;
  readonly family: IPFamily;
  readonly l4: L4;
  /** Seconds. */
  readonly affinity: number | undefined;
  readonly entrances: readonly Entrance[];
  /** The targets of the lists in use, as `address . port`. */
  readonly lists: { readonly [name in ListName]?: readonly string[] };
}

/** A Service in nft's words. Numbers are given when it is applied, since they must outlive a restart. */
export interface NftPart {
  readonly key: string;
  readonly ports: readonly PortPart[];
  readonly elements: readonly Element[];
}

const L4_OF = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const satisfies Record<Protocol, L4>;

const targetsText = (targets: readonly Target[]): string[] => targets.map(({ ip, port }) => `${ip} . ${port}`);

/** The parts of one port while it is compiled. */
class PortCompiler {
  readonly entrances: Entrance[] = [];
  readonly elements: Element[] = [];
  readonly lists: { [name in ListName]?: readonly string[] } = {};
  readonly #family: IPFamily;

  constructor(family: IPFamily) {
    this.#family = family;
  }

  element(set: SetName, key: string): void {
    this.elements.push({ family: this.#family, set, key });
  }

  /** A way in that leads to a list, is refused, or is silence. */
  way(
    map: Entrance["map"],
    key: string,
    to: Destination,
    list: ListName,
    masquerade: Masquerade,
    refusals: { readonly reject: SetName; readonly drop: SetName },
  ): void {
    if (to.to === "targets") {
      this.lists[list] = targetsText(to.targets);
      this.entrances.push({ map, key, list, masquerade });
    } else this.element(refusals[to.to], key);
  }
}

const ADDRESSES = { reject: "rej", drop: "drp" } as const;
const NODE_PORTS = { reject: "rej_np", drop: "drp_np" } as const;

/** Ways in from outside the clusterIP: with externalTrafficPolicy Local pods and the node use the Cluster list (PRX-036 … PRX-039). */
function compileExternal(port: ServicePortPlan, key: string, into: PortCompiler, nodePort: boolean): void {
  const refusals = nodePort ? NODE_PORTS : ADDRESSES;
  const inside = nodePort ? "np" : "fe";
  if (!port.externalLocal) {
    into.way(inside, key, port.external, "all", MASQUERADE.always, refusals);
    return;
  }
  const outside = nodePort ? "npo" : "feo";
  if (port.cluster.to === "targets") {
    into.way(inside, key, port.cluster, "all", MASQUERADE.unlessPod, refusals);
    // Outsiders must not fall through to what is for insiders: theirs is an empty list, which translates nothing.
    if (port.external.to === "drop") {
      into.entrances.push({ map: outside, key, list: "local", masquerade: MASQUERADE.never });
    }
  }
  into.way(outside, key, port.external, "local", MASQUERADE.never, refusals);
}

function compileSourceRanges(port: ServicePortPlan, key: string, ip: string, node: NodePlan, into: PortCompiler): void {
  if (port.sourceRanges === undefined) return;
  into.element("fw_fe", key);
  for (const range of port.sourceRanges) into.element("fw_allow", `${key} . ${rangeText(range)}`);
  // PRX-091: the node may speak with the VIP as its source, since kernels pick it where the VIP is local.
  if (node.nodeAddresses.some((own) => inRanges(own, port.sourceRanges!)) && !inRanges(ip, port.sourceRanges)) {
    into.element("fw_allow", `${key} . ${ip}`);
  }
}

function compilePort(port: ServicePortPlan, node: NodePlan): { part: PortPart; elements: readonly Element[] } {
  const into = new PortCompiler(port.family);
  const l4 = L4_OF[port.protocol];
  // PRX-060: without a local detector nothing to a clusterIP is masqueraded; PRX-061: or all of it, when so set.
  const detector = node.localDetector;
  const detects = detector.by !== "ranges" || rangesOf(detector.ranges, port.family).length > 0;
  const clusterKind = node.masqueradeAll ? MASQUERADE.always : detects ? MASQUERADE.unlessPod : MASQUERADE.never;
  const internalList = isClusterList(port) ? "all" : "local";
  for (const { ip, port: number, kind } of port.frontends) {
    const key = `${ip} . ${l4} . ${number}`;
    if (kind === "cluster") into.way("fe", key, port.internal, internalList, clusterKind, ADDRESSES);
    else compileExternal(port, key, into, false);
    if (kind === "loadBalancer") compileSourceRanges(port, key, ip, node, into);
  }
  if (port.nodePort !== undefined) compileExternal(port, `${l4} . ${port.nodePort}`, into, true);
  // PRX-063: a local endpoint that reaches itself must see another source, or its answer would not come back through us.
  for (const destination of [port.internal, port.external, port.cluster]) {
    if (destination.to !== "targets") continue;
    for (const { ip, local } of destination.targets) if (local) into.element("hairpin", `${ip} . ${ip}`);
  }
  const part = {
    id: `${port.id} ${port.family}`,
    family: port.family,
    l4,
    affinity: port.affinitySeconds,
    entrances: into.entrances,
    lists: into.lists,
  };
  return { part, elements: into.elements };
}

const isClusterList = (port: ServicePortPlan): boolean =>
  port.internal.to === "targets" && port.cluster.to === "targets"
    ? sameTargets(port.internal.targets, port.cluster.targets)
    : true;

const sameTargets = (one: readonly Target[], other: readonly Target[]): boolean =>
  one === other ||
  (one.length === other.length &&
    one.every((target, at) => target.ip === other[at]!.ip && target.port === other[at]!.port));

/** Pure: the same plan gives the same part. */
export function compile(service: ServicePlan, node: NodePlan): NftPart {
  const ports: PortPart[] = [];
  const elements = new Map<string, Element>();
  const add = (element: Element): void => void elements.set(`${element.family} ${element.set} ${element.key}`, element);
  for (const port of service.ports) {
    const compiled = compilePort(port, node);
    ports.push(compiled.part);
    compiled.elements.forEach(add);
  }
  for (const ip of service.clusterIPs) add({ family: familyOf(ip)!, set: "cluster_ips", key: ip });
  return { key: service.key, ports, elements: [...elements.values()] };
}
