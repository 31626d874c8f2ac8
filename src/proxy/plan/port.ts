import type { Service } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import type { PortRange } from "./annotations/port-range.ts";
import type { EndpointLists } from "./endpoints.ts";
import { frontendsOf, nodePortOf, rangeFrontendsOf, type Claimant } from "./held.ts";
import type { Destination, EndpointAddress, ServicePortPlan, Target } from "./plan.ts";
import type { ReadServicePort } from "./ports.ts";
import { sourceRangesOf } from "./source-ranges.ts";

/** What the ports of one Service have in common. */
export interface Common extends Claimant {
  readonly service: Service;
  readonly rest: Pick<ServicePortPlan, "balance" | "onRemoval" | "affinitySeconds">;
}

/** externalTrafficPolicy says nothing of a Service that cannot be called from outside (PRX-019). */
const isExternalLocal = ({ spec }: Service): boolean =>
  spec?.externalTrafficPolicy === "Local" && (spec.type !== "ClusterIP" || (spec.externalIPs ?? []).length > 0);

const REJECT: Destination = { to: "reject" };
const DROP: Destination = { to: "drop" };

/** PRX-045, PRX-046: for the Cluster policy and for Local. */
function destinations(cluster: readonly Target[], local: readonly Target[]): [Destination, Destination] {
  if (cluster.length === 0) return [REJECT, REJECT];
  return [{ to: "targets", targets: cluster }, local.length === 0 ? DROP : { to: "targets", targets: local }];
}

/** Where a connection keeps its port, an address is one target, however many ports it has. */
const eachOnce = <T extends EndpointAddress>(list: readonly T[]): readonly T[] =>
  list.filter(({ ip }, index) => list[index - 1]?.ip !== ip);

/** One port of a Service, and as a second plan its ranges. */
export function planPort(
  common: Common,
  port: ReadServicePort,
  family: IPFamily,
  lists: EndpointLists,
  ranges: readonly PortRange[] | undefined,
): ServicePortPlan[] {
  const { service, key, told, rest } = common;
  const { protocol } = port;
  const externalLocal = isExternalLocal(service);
  const internalLocal = service.spec?.internalTrafficPolicy === "Local";
  const [cluster, local] = destinations(lists.cluster, lists.local);
  const one: ServicePortPlan = {
    id: `${key}:${port.name}/${protocol}`,
    family,
    protocol,
    frontends: frontendsOf(common, family, port),
    nodePort: nodePortOf(common, family, port),
    internal: internalLocal ? local : cluster,
    external: externalLocal ? local : cluster,
    externalLocal,
    cluster,
    serving: lists.serving,
    ...rest,
    keepsPort: false,
    sourceRanges: sourceRangesOf(service, family, told),
  };
  if (ranges === undefined) return [one];
  const [clusterOnce, localOnce] = destinations(eachOnce(lists.cluster), eachOnce(lists.local));
  return [
    one,
    {
      ...one,
      id: `${one.id}#range`,
      frontends: rangeFrontendsOf(common, family, protocol, ranges),
      nodePort: undefined,
      internal: internalLocal ? localOnce : clusterOnce,
      external: externalLocal ? localOnce : clusterOnce,
      cluster: clusterOnce,
      serving: eachOnce(lists.serving),
      keepsPort: true,
    },
  ];
}
