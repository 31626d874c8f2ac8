import type { Flow, FlowProtocol, FlowQuery, Tuple } from "../../host/conntrack/flow.ts";
import { hostPort, type IPFamily } from "../../net/ip.ts";
import type { EndpointAddress, NodePlan, ServicePlan } from "../plan/plan.ts";

/** What of a Service port decides over its flows: on which ways they come in, and where they may go. */
export interface FlowPort {
  readonly id: string;
  readonly family: IPFamily;
  readonly ways: readonly { readonly ip: string; readonly port: number; readonly lastPort: number }[];
  readonly nodePort: number | undefined;
  readonly serving: readonly EndpointAddress[];
  /** The port of the endpoint is the one that the client called. */
  readonly keepsPort: boolean;
}

/** A Service's ports of one protocol; none of a Service that is gone. */
export function portsOf(plan: ServicePlan | undefined, protocol: FlowProtocol): FlowPort[] {
  return (plan?.ports ?? [])
    .filter((port) => port.protocol === protocol)
    .map(({ id, family, frontends, nodePort, serving, keepsPort }) => ({
      id,
      family,
      ways: frontends.map(({ ip, port, lastPort = port }) => ({ ip, port, lastPort })),
      nodePort,
      serving,
      keepsPort,
    }));
}

/** Whether the answer of a flow comes from somebody else than who was called. */
export const isRedirected = ({ original, reply }: Flow): boolean =>
  reply.source !== original.destination || reply.sourcePort !== original.destinationPort;

/** Finds the port that a flow belongs to. */
export class FlowWays {
  readonly #exact = new Map<string, FlowPort>();
  readonly #ranges: { readonly port: FlowPort; readonly way: FlowPort["ways"][number] }[] = [];
  readonly #nodePorts = new Map<string, FlowPort>();
  readonly #node: NodePlan;

  constructor(ports: Iterable<FlowPort>, node: NodePlan) {
    this.#node = node;
    for (const port of ports) {
      for (const way of port.ways) {
        if (way.port === way.lastPort) this.#exact.set(hostPort(way.ip, way.port), port);
        else this.#ranges.push({ port, way });
      }
      if (port.nodePort !== undefined) this.#nodePorts.set(`${port.family} ${port.nodePort}`, port);
    }
  }

  of(flow: Flow): FlowPort | undefined {
    const { destination: ip, destinationPort: at } = flow.original;
    const exact = this.#exact.get(hostPort(ip, at));
    if (exact !== undefined) return exact;
    const range = this.#ranges.find(({ way }) => way.ip === ip && way.port <= at && at <= way.lastPort);
    if (range !== undefined) return range.port;
    const nodePort = this.#nodePorts.get(`${flow.family} ${at}`);
    return nodePort !== undefined && this.#isOfNode(flow) ? nodePort : undefined;
  }

  /** Whether a node port answers where the flow goes: others may use the number elsewhere. */
  #isOfNode(flow: Flow): boolean {
    const { destination } = flow.original;
    const addresses = this.#node.nodePortAddresses[flow.family];
    if (addresses !== "all") return addresses.includes(destination) || isLoopback(destination);
    return isRedirected(flow) || this.#node.nodeAddresses.includes(destination) || isLoopback(destination);
  }
}

const isLoopback = (ip: string): boolean => ip.startsWith("127.") || ip === "::1";

/** More questions than this are more work than one look at all. */
const FEW = 2;

/** What to ask the kernel for, so that all flows of these ports are among the answers. Each question is a walk through its table. */
export function questions(ports: readonly FlowPort[], protocol: FlowProtocol): FlowQuery[] {
  const all: FlowQuery[] = [{ protocol }];
  if (ports.some(({ ways }) => ways.some((way) => way.port !== way.lastPort))) return all;
  const ways = new Map<string, { family?: IPFamily; original: Partial<Tuple> }>();
  const numbers = new Set<number>();
  for (const { family, ways: given, nodePort } of ports) {
    for (const { ip, port } of given) {
      ways.set(hostPort(ip, port), { family, original: { destination: ip, destinationPort: port } });
      numbers.add(port);
    }
    if (nodePort === undefined) continue;
    ways.set(String(nodePort), { original: { destinationPort: nodePort } });
    numbers.add(nodePort);
  }
  if (ways.size <= FEW) return [...ways.values()].map((query) => ({ protocol, ...query }));
  if (numbers.size <= FEW) return [...numbers].map((port) => ({ protocol, original: { destinationPort: port } }));
  return all;
}
