import { maglevTable } from "../../../net/maglev.ts";
import { familyOf, type IPFamily } from "../../../net/ip.ts";
import type {
  Balance,
  Destination,
  Frontend,
  NodePlan,
  Protocol,
  ServicePlan,
  ServicePortPlan,
  Target,
} from "../../plan/plan.ts";
import type { Element, SetName } from "./elements.ts";
import { inRanges, rangesOf, rangeText } from "./ranges.ts";
import { MASQUERADE, type ListName, type Masquerade } from "./listid.ts";
import type { Choice } from "./shape.ts";
import { slotShares } from "./shares.ts";

export type L4 = "tcp" | "udp" | "sctp";

/** A way in, before the Service port has a number. */
export interface Entrance {
  readonly map: "fe" | "feo" | "fer" | "feor" | "np" | "npo";
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
  readonly choice: Choice;
  /** Targets are addresses only, and the port stays. */
  readonly keepsPort: boolean;
  readonly entrances: readonly Entrance[];
  /** The targets of the lists in use, as `address . port`, each as often as it has slots. */
  readonly lists: { readonly [name in ListName]?: readonly string[] };
}

/** A Service in nft's words. Numbers are given when it is applied, since they must outlive a restart. */
export interface NftPart {
  readonly key: string;
  readonly ports: readonly PortPart[];
  readonly elements: readonly Element[];
}

const L4_OF = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const satisfies Record<Protocol, L4>;

/** Where the engine has no way of its own for a balance, each target is as likely as its weight (PRX-027). */
const CHOICES = {
  random: "random",
  "least-connections": "random",
  "round-robin": "turn",
  maglev: "client",
  "source-hash": "client",
} as const satisfies Record<Balance, Choice>;

/** Each target as often as it has slots, in the order of the slots where the client's address chooses. */
function slotsOf(targets: readonly Target[], port: ServicePortPlan): string[] {
  const names = targets.map(({ ip, port: number }) => (port.keepsPort ? ip : `${ip} . ${number}`));
  const weight = targets[0]?.weight;
  if (port.balance !== "maglev" && targets.every((target) => target.weight === weight)) return [...new Set(names)];
  const named = new Map<string, Target>();
  for (const [at, target] of targets.entries()) named.set(names[at]!, target);
  if (port.balance === "maglev") return maglevTable([...named].map(([name, { weight }]) => ({ name, weight })));
  const shares = slotShares([...named.values()].map(({ weight }) => weight));
  const each = [...named.keys()].map((name, at) => ({ name, left: shares[at]! }));
  // One round after another, so that turns of a heavy target are not all in a row.
  const slots: string[] = [];
  for (let due = each; due.length > 0; due = due.filter(({ left }) => left > 0)) {
    for (const one of due) {
      slots.push(one.name);
      one.left--;
    }
  }
  return slots;
}

/** The parts of one port while it is compiled. */
class PortCompiler {
  readonly entrances: Entrance[] = [];
  readonly elements: Element[] = [];
  readonly lists: { [name in ListName]?: readonly string[] } = {};
  readonly port: ServicePortPlan;

  constructor(port: ServicePortPlan) {
    this.port = port;
  }

  element(set: SetName, key: string): void {
    this.elements.push({ family: this.port.family, set, key });
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
      this.lists[list] ??= slotsOf(to.targets, this.port);
      this.entrances.push({ map, key, list, masquerade });
    } else this.element(refusals[to.to], key);
  }
}

/** The sets and maps of one kind of way in. */
interface WaySets {
  readonly inside: "fe" | "fer" | "np";
  readonly outside: "feo" | "feor" | "npo";
  readonly refusals: { readonly reject: SetName; readonly drop: SetName };
}
const ADDRESS: WaySets = { inside: "fe", outside: "feo", refusals: { reject: "rej", drop: "drp" } };
const RANGE: WaySets = { inside: "fer", outside: "feor", refusals: { reject: "rejr", drop: "drpr" } };
const NODE_PORT: WaySets = { inside: "np", outside: "npo", refusals: { reject: "rej_np", drop: "drp_np" } };

/** Ways in from outside the clusterIP: with externalTrafficPolicy Local pods and the node use the Cluster list (PRX-036 … PRX-039). */
function compileExternal(
  port: ServicePortPlan,
  key: string,
  into: PortCompiler,
  { inside, outside, refusals }: WaySets,
): void {
  if (!port.externalLocal) {
    into.way(inside, key, port.external, "all", MASQUERADE.always, refusals);
    return;
  }
  if (port.cluster.to === "targets") {
    into.way(inside, key, port.cluster, "all", MASQUERADE.unlessPod, refusals);
    // Outsiders must not fall through to what is for insiders: theirs is an empty list, which translates nothing.
    if (port.external.to === "drop") {
      into.entrances.push({ map: outside, key, list: "local", masquerade: MASQUERADE.never });
    }
  }
  into.way(outside, key, port.external, "local", MASQUERADE.never, refusals);
}

function compileSourceRanges(
  port: ServicePortPlan,
  key: string,
  { ip, lastPort }: Frontend,
  node: NodePlan,
  into: PortCompiler,
): void {
  if (port.sourceRanges === undefined) return;
  const [guarded, allowed] =
    lastPort === undefined ? (["fw_fe", "fw_allow"] as const) : (["fw_fer", "fw_allowr"] as const);
  into.element(guarded, key);
  for (const range of port.sourceRanges) into.element(allowed, `${key} . ${rangeText(range)}`);
  // PRX-091: the node may speak with the VIP as its source, since kernels pick it where the VIP is local.
  if (node.nodeAddresses.some((own) => inRanges(own, port.sourceRanges!)) && !inRanges(ip, port.sourceRanges)) {
    into.element(allowed, `${key} . ${ip}`);
  }
}

function compilePort(port: ServicePortPlan, node: NodePlan): { part: PortPart; elements: readonly Element[] } {
  const into = new PortCompiler(port);
  const l4 = L4_OF[port.protocol];
  // PRX-060: without a local detector nothing to a clusterIP is masqueraded; PRX-061: or all of it, when so set.
  const detector = node.localDetector;
  const detects = detector.by !== "ranges" || rangesOf(detector.ranges, port.family).length > 0;
  const clusterKind = node.masqueradeAll ? MASQUERADE.always : detects ? MASQUERADE.unlessPod : MASQUERADE.never;
  const internalList = isClusterList(port) ? "all" : "local";
  for (const frontend of port.frontends) {
    const { ip, port: number, lastPort, kind } = frontend;
    const sets = lastPort === undefined ? ADDRESS : RANGE;
    const ports = lastPort === undefined || lastPort === number ? String(number) : `${number}-${lastPort}`;
    const key = `${ip} . ${l4} . ${ports}`;
    if (lastPort !== undefined) into.element("ranged", ip);
    if (kind === "cluster") into.way(sets.inside, key, port.internal, internalList, clusterKind, sets.refusals);
    else compileExternal(port, key, into, sets);
    if (kind === "loadBalancer") compileSourceRanges(port, key, frontend, node, into);
  }
  if (port.nodePort !== undefined) compileExternal(port, `${l4} . ${port.nodePort}`, into, NODE_PORT);
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
    choice: port.balance === undefined ? "random" : CHOICES[port.balance],
    keepsPort: port.keepsPort,
    entrances: into.entrances,
    lists: into.lists,
  } as const;
  return { part, elements: into.elements };
}

const isClusterList = (port: ServicePortPlan): boolean =>
  port.internal.to === "targets" && port.cluster.to === "targets"
    ? sameTargets(port.internal.targets, port.cluster.targets)
    : true;

const sameTargets = (one: readonly Target[], other: readonly Target[]): boolean =>
  one === other ||
  (one.length === other.length &&
    one.every((target, at) => {
      const { ip, port, weight } = other[at]!;
      return target.ip === ip && target.port === port && target.weight === weight;
    }));

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
