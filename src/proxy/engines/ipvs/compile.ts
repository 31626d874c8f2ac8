import { familyOf, type IPFamily } from "../../../net/ip.ts";
import type { Destination, NodePlan, Protocol, ServicePlan, ServicePortPlan, Target } from "../../plan/plan.ts";
import { endpointText, L4, serverKey, type SetName } from "./names.ts";
import { inRanges, rangesOf, rangeText } from "./ranges.ts";
import { choice, markedChoice } from "./scheduler.ts";

/** An element of a set. */
export interface Element {
  readonly family: IPFamily;
  readonly set: SetName;
  readonly key: string;
}

/** A virtual server as it shall be. */
export interface VirtualServer {
  /** ipvsadm's words for how it chooses. */
  readonly choice: string;
  /** Weights of the real servers, by `address:port`. */
  readonly targets: ReadonlyMap<string, number>;
  /** Endpoints that serve, whether they get new connections or not: flows under way may stay with them (PRX-204). */
  readonly serving: ReadonlySet<string>;
}

/** A virtual server for outsiders: it gets a number when it is applied, since that must outlive a restart. */
export interface MarkedServer extends VirtualServer {
  readonly id: string;
  readonly family: IPFamily;
  readonly protocol: Protocol;
  /** Elements of `outside` whose packets get the mark. */
  readonly ways: readonly string[];
}

/** A Service in the words of ipvsadm and ipset. */
export interface IpvsPart {
  readonly key: string;
  readonly elements: readonly Element[];
  /** By ipvsadm's name. */
  readonly servers: ReadonlyMap<string, VirtualServer>;
  readonly marked: readonly MarkedServer[];
}

const targetsOf = (destination: Destination): readonly Target[] =>
  destination.to === "targets" ? destination.targets : [];

const servingOf = ({ serving }: ServicePortPlan): ReadonlySet<string> =>
  new Set(serving.map(({ ip, port }) => endpointText(ip, port)));

const weights = (targets: readonly Target[]): ReadonlyMap<string, number> =>
  new Map(targets.map(({ ip, port, weight }) => [endpointText(ip, port), weight]));

const isLoopback = (ip: string): boolean => ip === "::1" || ip.startsWith("127.");

/** The addresses on which node ports answer: never those of the loopback (PRX-082). */
function nodePortAddresses(node: NodePlan, family: IPFamily): readonly string[] {
  const chosen = node.nodePortAddresses[family];
  const all = chosen === "all" ? node.nodeAddresses.filter((ip) => familyOf(ip) === family) : chosen;
  return [...new Set(all)].filter((ip) => !isLoopback(ip));
}

/** One Service while it is compiled. */
class PartCompiler {
  readonly elements = new Map<string, Element>();
  readonly servers = new Map<string, VirtualServer>();
  readonly marked: MarkedServer[] = [];
  readonly #node: NodePlan;
  readonly #usual: string;

  constructor(node: NodePlan, usual: string) {
    this.#node = node;
    this.#usual = usual;
  }

  element(family: IPFamily, set: SetName, key: string): void {
    this.elements.set(`${family} ${set} ${key}`, { family, set, key });
  }

  /** An address of a Service is bound to our interface, unless the machine has it already (PRX-043). */
  address(ip: string): void {
    if (!this.#node.nodeAddresses.includes(ip)) this.element(familyOf(ip)!, "addresses", ip);
  }

  /** A way in for everybody, or for those inside. The virtual server stays when nobody serves: others may be hanging up. */
  #way(port: ServicePortPlan, ip: string, number: number, to: Destination): string {
    const targets = targetsOf(to);
    const way = `${ip},${L4[port.protocol]}:${number}`;
    this.element(port.family, "ways", way);
    if (to.to !== "targets") this.element(port.family, to.to, way);
    const key = serverKey(port.protocol, ip, number);
    this.servers.set(key, {
      choice: choice(port, targets, this.#usual),
      targets: weights(targets),
      serving: servingOf(port),
    });
    return way;
  }

  port(port: ServicePortPlan): void {
    const { family, externalLocal } = port;
    const outside: string[] = [];
    const external = (ip: string, number: number): string => {
      const way = this.#way(port, ip, number, externalLocal ? port.cluster : port.external);
      this.element(family, externalLocal ? "hide-strangers" : "hide", way);
      if (externalLocal && port.external.to === "targets") outside.push(way);
      if (externalLocal && port.external.to === "drop") this.element(family, "outside-drop", way);
      return way;
    };
    for (const { ip, port: number, kind } of port.frontends) {
      this.address(ip);
      if (kind === "cluster") this.#hideCluster(family, this.#way(port, ip, number, port.internal));
      else {
        const way = external(ip, number);
        if (kind === "loadBalancer") this.#sourceRanges(port, way, ip);
      }
    }
    if (port.nodePort !== undefined) {
      for (const ip of nodePortAddresses(this.#node, family)) external(ip, port.nodePort);
    }
    if (outside.length > 0) {
      const targets = targetsOf(port.external);
      const chosen = markedChoice(port, targets, this.#usual);
      const id = `${port.id} ${family}`;
      const { protocol } = port;
      this.marked.push({
        id,
        family,
        protocol,
        ways: outside,
        choice: chosen,
        targets: weights(targets),
        serving: servingOf(port),
      });
    }
    // PRX-063: a local endpoint that reaches itself must see another source, or its answer would not come back through us.
    for (const destination of [port.internal, port.external, port.cluster]) {
      for (const { ip, port: number, local } of targetsOf(destination)) {
        if (local) this.element(family, "hairpin", `${ip},${L4[port.protocol]}:${number},${ip}`);
      }
    }
  }

  /** PRX-060: without a local detector nothing to a clusterIP is masqueraded; PRX-061: or all of it, when so set. */
  #hideCluster(family: IPFamily, way: string): void {
    const detector = this.#node.localDetector;
    const detects = detector.by !== "ranges" || rangesOf(detector.ranges, family).length > 0;
    if (this.#node.masqueradeAll) this.element(family, "hide", way);
    else if (detects) this.element(family, "hide-strangers", way);
  }

  #sourceRanges({ family, sourceRanges }: ServicePortPlan, way: string, ip: string): void {
    if (sourceRanges === undefined) return;
    this.element(family, "guarded", way);
    for (const range of sourceRanges) this.element(family, "allowed", `${way},${rangeText(range)}`);
    // PRX-091: the node speaks with the VIP as its source, since the kernel picks it where the VIP is local.
    if (this.#node.nodeAddresses.some((own) => inRanges(own, sourceRanges)) && !inRanges(ip, sourceRanges)) {
      this.element(family, "allowed", `${way},${ip}`);
    }
  }
}

/** Pure: the same plan gives the same part. `usual` is the scheduler of Services that ask for none. */
export function compile(service: ServicePlan, node: NodePlan, usual: string): IpvsPart {
  const into = new PartCompiler(node, usual);
  for (const ip of service.clusterIPs) into.address(ip);
  // What `abilities` says it cannot do it leaves alone.
  for (const port of service.ports) if (!port.keepsPort) into.port(port);
  if (service.healthCheckNodePort !== undefined) {
    for (const family of node.families) into.element(family, "health", String(service.healthCheckNodePort));
  }
  return {
    key: service.key,
    elements: [...into.elements.values()],
    servers: into.servers,
    marked: into.marked,
  };
}
