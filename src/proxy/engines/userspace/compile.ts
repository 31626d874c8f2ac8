import { cidrContains, parseCidr } from "../../../net/cidr.ts";
import { familyOf, type IPFamily } from "../../../net/ip.ts";
import type { Destination, NodePlan, ServicePlan, ServicePortPlan, Target } from "../../plan/plan.ts";
import { OWN, type CarriedPort, type CarriedTarget, type Entrance, type ListName } from "./carrier/carried.ts";

/** A Service as the carrier and the routes need it. */
export interface UserspacePart {
  readonly key: string;
  /** Addresses that this machine must have for the Service to be called, or to be refused. */
  readonly addresses: readonly string[];
  readonly ports: readonly CarriedPort[];
  /** What of it is not carried, in sentences. */
  readonly complaints: readonly string[];
}

/** Each port of a range is a socket of its own, so a range has bounds. */
const MOST_PORTS_OF_RANGE = 1000;

const EVERY = { IPv4: "0.0.0.0", IPv6: "::" } as const satisfies Record<IPFamily, string>;
const LOOPBACK = { IPv4: "127.0.0.1", IPv6: "::1" } as const satisfies Record<IPFamily, string>;
const LOOPBACK_RANGE = { IPv4: "127.0.0.0/8", IPv6: "::1/128" } as const satisfies Record<IPFamily, string>;

/** A range of one address. */
const single = (ip: string): string => `${ip}/${ip.includes(":") ? 128 : 32}`;
const isOf =
  (family: IPFamily) =>
  (range: string): boolean =>
    familyOf(range.split("/")[0]!) === family;

/** Addresses of pods on this node and of the node: who takes the short circuits of PRX-038 and PRX-039. A socket does not know by which interface. */
function insideRanges(node: NodePlan, family: IPFamily): string[] {
  const pods = node.localDetector.by === "ranges" ? node.localDetector.ranges : [];
  return [...pods.filter(isOf(family)), OWN, LOOPBACK_RANGE[family]];
}

const carriedTargets = (targets: readonly Target[]): CarriedTarget[] =>
  targets.map(({ ip, port, weight }) => ({ ip, port, weight }));

/** A way in before it has an address: undefined where nobody gets anything but a refusal, which is the kernel's where nobody listens. */
type Way = Pick<Entrance, "list" | "inside" | "admits"> | undefined;

class PortCompiler {
  readonly lists: { [name in ListName]?: readonly CarriedTarget[] } = {};

  #list(to: Destination, name: ListName): ListName | undefined {
    if (to.to !== "targets") return undefined;
    this.lists[name] = carriedTargets(to.targets);
    return name;
  }

  internal(port: ServicePortPlan): Way {
    if (port.internal.to === "reject") return undefined;
    const list = this.#list(port.internal, "internal");
    return { list, admits: list === undefined ? [[]] : [] };
  }

  /** PRX-036 … PRX-039: with externalTrafficPolicy Local pods and the node use the Cluster list. */
  external(port: ServicePortPlan, inside: readonly string[]): Way {
    if (port.external.to === "reject") return undefined;
    const list = this.#list(port.external, "external");
    if (!port.externalLocal) return { list, admits: list === undefined ? [[]] : [] };
    const cluster = this.#list(port.cluster, "cluster");
    const admits = list !== undefined ? [] : cluster === undefined ? [[]] : [inside];
    return { list, inside: { ranges: inside, list: cluster }, admits };
  }
}

/** PRX-090, and PRX-091: the node may call with the address itself as its source, since that is what kernels pick. */
function admitted({ sourceRanges: ranges }: ServicePortPlan, ip: string, node: NodePlan): string[] | undefined {
  if (ranges === undefined) return undefined;
  const holds = node.nodeAddresses.some((own) => ranges.some((range) => cidrContains(parseCidr(range), own)));
  return holds ? [...ranges, single(ip)] : [...ranges];
}

function entrancesOf(port: ServicePortPlan, node: NodePlan, into: PortCompiler): Entrance[] {
  const { family } = port;
  const inside = insideRanges(node, family);
  const entrances = new Map<string, Entrance>();
  const add = (
    ip: string,
    number: number,
    way: Way,
    more: Partial<Entrance> = {},
    allowed?: readonly string[],
  ): void => {
    if (way === undefined || entrances.has(`${ip} ${number}`)) return;
    // The node's own calls to an address that only a route gives it have that address as their source.
    const admits = way.admits.map((ranges) => (ranges.length === 0 ? [] : [...ranges, single(ip)]));
    if (allowed !== undefined) admits.push([...allowed]);
    entrances.set(`${ip} ${number}`, { ip, port: number, ...way, ...more, admits });
  };
  const internal = into.internal(port);
  const external = into.external(port, inside);
  for (const { ip, port: first, lastPort, kind } of port.frontends) {
    const last = lastPort === undefined ? undefined : Math.min(lastPort, first + MOST_PORTS_OF_RANGE - 1);
    const range = last === undefined ? {} : { lastPort: last };
    if (kind === "cluster") add(ip, first, internal, range);
    else add(ip, first, external, range, kind === "loadBalancer" ? admitted(port, ip, node) : undefined);
  }
  if (port.nodePort !== undefined) {
    const on = node.nodePortAddresses[family];
    if (node.localhostNodePorts && on.length > 0) add(LOOPBACK[family], port.nodePort, external);
    for (const ip of on === "all" ? [EVERY[family]] : on) add(ip, port.nodePort, external);
  }
  return [...entrances.values()];
}

function compilePort(service: string, port: ServicePortPlan, protocol: "TCP" | "UDP", node: NodePlan): CarriedPort {
  const into = new PortCompiler();
  const entrances = entrancesOf(port, node, into);
  const { family, serving, onRemoval, keepsPort, affinitySeconds } = port;
  return {
    id: `${port.id} ${family}`,
    service,
    family,
    protocol,
    entrances,
    lists: into.lists,
    serving,
    // PRX-137.
    balance: port.balance ?? "round-robin",
    onRemoval,
    keepsPort,
    affinitySeconds,
    own: node.nodeAddresses.filter(isOf(family)),
  };
}

const complaintsOf = (port: ServicePortPlan): string[] =>
  port.frontends
    .filter(({ port: first, lastPort = first }) => lastPort - first >= MOST_PORTS_OF_RANGE)
    .map(
      ({ ip, port: first, lastPort }) =>
        `${port.id}: of the ports ${first} to ${lastPort} of ${ip} only the first ${MOST_PORTS_OF_RANGE} are carried, since the userspace proxy needs a socket for each`,
    );

/** Pure: the same plan gives the same part. */
export function compile(service: ServicePlan, node: NodePlan): UserspacePart {
  const frontends = service.ports.flatMap((port) => port.frontends.map(({ ip }) => ip));
  return {
    key: service.key,
    addresses: [...new Set([...service.clusterIPs, ...frontends])].filter((ip) => !node.nodeAddresses.includes(ip)),
    ports: service.ports.flatMap((port) =>
      port.protocol === "SCTP" ? [] : [compilePort(service.key, port, port.protocol, node)],
    ),
    complaints: service.ports.flatMap(complaintsOf),
  };
}
