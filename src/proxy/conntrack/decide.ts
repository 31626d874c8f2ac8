import type { Flow } from "../../host/conntrack/flow.ts";
import { cidrContains, parseCidr } from "../../net/cidr.ts";
import type { EndpointAddress, NodePlan } from "../plan/plan.ts";
import { isRedirected, FlowWays, type FlowPort } from "./flow-ports.ts";

/** What is looked at: ports of Services that changed, as they were and as they are. */
export interface Changed {
  readonly was: readonly FlowPort[];
  readonly now: readonly FlowPort[];
  readonly node: NodePlan;
  /** `now` is all there are: what goes to another Service address belongs to a Service that went while nobody looked. */
  readonly all: boolean;
  /** A flow to the address that the client calls, and no further, is as it should be. */
  readonly answersItself: boolean;
}

/**
 * The UDP flows that must go: each leads, by a way into a Service, where the plan leads nobody. A flow on a way that is still one must
 * lead to an endpoint that serves, ready or ending, whatever policies say (PRX-203, PRX-204); that covers those that came before there
 * was an endpoint (PRX-206) and those to another port of one (PRX-207). A flow on a way that is none any more leads nowhere rightly:
 * kube-proxy leaves these, and those of a Service without endpoints, until they are silent for long enough (PRX-205, PRX-208), while a
 * client that keeps sending keeps its flow for ever.
 */
export function staleFlows(flows: readonly Flow[], { was, now, node, all, answersItself }: Changed): Flow[] {
  const current = new FlowWays(now, node);
  const past = new FlowWays(was, node);
  const ranges = all ? node.serviceRanges.map((range) => parseCidr(range)) : [];
  return flows.filter((flow) => {
    if (flow.protocol !== "UDP") return false;
    const port = current.of(flow);
    if (port !== undefined) return !(mayLead(port, flow) || (answersItself && !isRedirected(flow)));
    if (!isRedirected(flow)) return false;
    return past.of(flow) !== undefined || ranges.some((range) => cidrContains(range, flow.original.destination));
  });
}

function mayLead({ serving, keepsPort }: FlowPort, { original, reply }: Flow): boolean {
  const isWho = ({ ip, port }: EndpointAddress): boolean =>
    ip === reply.source && (keepsPort ? original.destinationPort : port) === reply.sourcePort;
  return serving.some(isWho);
}
