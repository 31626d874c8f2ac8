import type { Flow } from "../../host/conntrack/flow.ts";
import { hostPort } from "../../net/ip.ts";
import type { NodePlan, ServicePlan } from "../plan/plan.ts";
import { FlowWays, isRedirected, portsOf, type FlowPort } from "./flow-ports.ts";

/** Connections to an endpoint that a Service port lost are to be closed. */
export interface Removal {
  /** ServicePlan key. */
  readonly service: string;
  /** The port as it was. */
  readonly port: FlowPort;
  /** Names of endpoints, `ip:port`, or the address alone where the port is the client's. */
  readonly endpoints: readonly string[];
  /** Milliseconds until then. */
  readonly after: number;
}

const nameOf = (port: FlowPort, ip: string, number: number): string => (port.keepsPort ? ip : hostPort(ip, number));
const endpointsOf = (port: FlowPort | undefined): Set<string> =>
  new Set(port?.serving.map(({ ip, port: number }) => nameOf(port, ip, number)));

const portKey = ({ id, family }: { readonly id: string; readonly family: string }): string => `${id} ${family}`;

/** What a change of a Service takes endpoints from, of those ports that want connections to them closed. As it was decides for a Service that is gone. */
export function removalsOf(was: ServicePlan | undefined, now: ServicePlan | undefined): Removal[] {
  if (was === undefined) return [];
  const after = new Map((now?.ports ?? []).map((port) => [portKey(port), port.onRemoval]));
  const before = new Map(was.ports.map((port) => [portKey(port), port.onRemoval]));
  const current = new Map(portsOf(now, "TCP").map((port) => [portKey(port), port]));
  return portsOf(was, "TCP").flatMap((port) => {
    const wish = after.get(portKey(port)) ?? before.get(portKey(port))!;
    if (wish.action === "keep") return [];
    const left = endpointsOf(current.get(portKey(port)));
    const endpoints = [...endpointsOf(port)].filter((one) => !left.has(one));
    return endpoints.length === 0 ? [] : [{ service: was.key, port, endpoints, after: wish.after }];
  });
}

/** Flows of established connections by the removal's port to its endpoints, but to those that the Service has again. */
export function flowsToClose(
  flows: readonly Flow[],
  removal: Removal,
  now: ServicePlan | undefined,
  node: NodePlan,
): Flow[] {
  const { port } = removal;
  const back = endpointsOf(portsOf(now, "TCP").find((one) => portKey(one) === portKey(port)));
  const gone = new Set(removal.endpoints.filter((one) => !back.has(one)));
  if (gone.size === 0) return [];
  const ways = new FlowWays([port], node);
  return flows.filter(
    (flow) =>
      flow.protocol === "TCP" &&
      isRedirected(flow) &&
      ways.of(flow) !== undefined &&
      gone.has(nameOf(port, flow.reply.source, flow.reply.sourcePort)),
  );
}
