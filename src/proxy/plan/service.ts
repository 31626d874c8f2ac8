import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { hostPort, type IPFamily } from "../../net/ip.ts";
import { read, type Annotation } from "./annotations/annotation.ts";
import { balance } from "./annotations/balance.ts";
import { onRemoval } from "./annotations/on-removal.ts";
import { penaltyBox } from "./annotations/penalty-box.ts";
import type { PortRange } from "./annotations/port-range.ts";
import { slowStart } from "./annotations/slow-start.ts";
import type { Place } from "./candidates.ts";
import type { Standing } from "./choose.ts";
import { addressPlace, nodePlace, type Claims } from "./claims.ts";
import { complaints, type Complaints } from "./complaints.ts";
import { endpointLists, type EndpointLists } from "./endpoints.ts";
import { addressesOf, isProxied, type ServiceAddress } from "./frontends.ts";
import type { Destination, EndpointAddress, Frontend, Protocol, ServicePlan, ServicePortPlan, Target } from "./plan.ts";
import { portsOf, type ReadServicePort } from "./ports.ts";
import { rangesOf } from "./ranges.ts";
import type { ReadSlice } from "./slice.ts";
import { sourceRangesOf } from "./source-ranges.ts";

/** What a plan depends on beside the Service and its slices. */
export interface PlanContext extends Place {
  readonly families: readonly IPFamily[];
  /** Who holds what several Services want: PRX-044. */
  readonly claims: Pick<Claims, "holderOf" | "heldOf">;
  /** Whether an endpoint gets no new connections for now because it fails them. */
  isPenalized(target: EndpointAddress, protocol: Protocol): boolean;
  /** How much of its share an endpoint (`ReadEndpoint.id`) of a Service has come to: a whole number of tenths from 1 to 10. */
  tenths(service: string, id: string): number;
}

/** Everything of one Service that its ports have in common. */
interface Common {
  readonly service: Service;
  readonly key: string;
  readonly addresses: readonly ServiceAddress[];
  readonly context: PlanContext;
  readonly told: Complaints;
  readonly penaltyBox: boolean;
  readonly rest: Pick<ServicePortPlan, "balance" | "onRemoval" | "affinitySeconds">;
}

/** PRX-107. */
const healthCheckNodePortOf = ({ spec }: Service): number | undefined =>
  spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && spec.healthCheckNodePort
    ? spec.healthCheckNodePort
    : undefined;

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

const words = ({ port, lastPort }: PortRange): string => (port === lastPort ? `${port}` : `${port}-${lastPort}`);

/** The addresses at which the Service itself is called on these ports; what others hold is left out and told. */
function frontendsOf(
  { addresses, key, context: { claims }, told }: Common,
  family: IPFamily,
  protocol: Protocol,
  ranges: readonly PortRange[] | undefined,
  port: number,
): Frontend[] {
  return addresses.flatMap(({ ip, kind, family: its }): Frontend[] => {
    if (its !== family) return []; // PRX-042
    const place = addressPlace(ip, protocol);
    const held = (ranges ?? [{ port, lastPort: port }]).flatMap((range): readonly PortRange[] => {
      if (ranges !== undefined) {
        const { held: left, others } = claims.heldOf(place, range, key);
        if (others.length > 0) {
          told.add(
            `${ip} ports ${words(range)}/${protocol} are in part those of ${others.join(", ")}, which goes first`,
          );
        }
        return left;
      }
      const holder = claims.holderOf(place, port);
      if (holder === key) return [range];
      told.add(`${hostPort(ip, port)}/${protocol} is answered by Service ${holder}, which goes first; it is left out`);
      return [];
    });
    return held.map((range) => (ranges === undefined ? { ip, port, kind } : { ip, ...range, kind }));
  });
}

function nodePortOf({ key, context, told }: Common, family: IPFamily, port: ReadServicePort): number | undefined {
  if (port.nodePort === undefined) return undefined;
  const holder = context.claims.holderOf(nodePlace(family, port.protocol), port.nodePort);
  if (holder === key) return port.nodePort;
  told.add(
    `node port ${port.nodePort}/${port.protocol} is that of Service ${holder}, which goes first; it is left out`,
  );
  return undefined;
}

/** One port of a Service, and as a second plan its ranges. */
function planPort(
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
    frontends: frontendsOf(common, family, protocol, undefined, port.port),
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
      frontends: frontendsOf(common, family, protocol, ranges, port.port),
      nodePort: undefined,
      internal: internalLocal ? localOnce : clusterOnce,
      external: externalLocal ? localOnce : clusterOnce,
      cluster: clusterOnce,
      serving: eachOnce(lists.serving),
      keepsPort: true,
    },
  ];
}

/** What slices have that no port of the Service wants, and what of them cannot be used. */
function tellOfSlices(slices: readonly ReadSlice[], ports: readonly ReadServicePort[], told: Complaints): void {
  for (const slice of slices) {
    for (const sentence of slice.complaints) told.add(sentence);
    // A controller puts it right by itself, a moment after the Service's ports have changed.
    if (slice.managed || slice.ports.length === 0 || slice.endpoints.length === 0) continue;
    const fits = slice.ports.some(({ name, protocol }) =>
      ports.some((port) => port.name === name && port.protocol === protocol),
    );
    if (fits) continue;
    const label = ({ name, protocol }: { name: string; protocol: string }): string =>
      `${JSON.stringify(name)}/${protocol}`;
    told.add(
      `EndpointSlice ${slice.name} has ports ${slice.ports.map(label).join(", ")}; the Service's are ${ports.map(label).join(", ")}, so it is not used`,
    );
  }
}

function standingOf({ key, context, penaltyBox: boxed }: Common, protocol: Protocol): Standing {
  return {
    isPenalized: boxed ? (one) => context.isPenalized(one, protocol) : () => false,
    tenths: (id) => context.tenths(key, id),
  };
}

/**
 * What one Service means for this node: for each port and family where traffic may go, from whom, by which policy.
 * `slices` are those of the Service's name and namespace. Undefined for a Service without proxying (PRX-005, PRX-277).
 */
export function planService(
  service: Service,
  slices: readonly ReadSlice[],
  context: PlanContext,
): ServicePlan | undefined {
  if (!isProxied(service)) return undefined;
  const told = complaints();
  const say = (sentence: string): void => told.add(sentence);
  const says = <T>(annotation: Annotation<T>): T =>
    read(annotation, service.metadata.annotations?.[annotation.name], say);
  const { sessionAffinity, sessionAffinityConfig } = service.spec ?? {};
  const affinitySeconds =
    sessionAffinity === "ClientIP" ? (sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined;
  // Its steps come by `tenths`; here is only told what is wrong with it.
  says(slowStart);
  const addresses = addressesOf(service, told);
  const common: Common = {
    service,
    key: keyOf(service),
    addresses,
    context,
    told,
    penaltyBox: says(penaltyBox),
    rest: { balance: says(balance), onRemoval: says(onRemoval), affinitySeconds },
  };
  // PRX-006, PRX-262: a family counts when the Service has an address of it and the machine carries it.
  const clusterIPs = addresses.filter(({ kind, family }) => kind === "cluster" && context.families.includes(family));
  const families = context.families.filter((family) => clusterIPs.some((one) => one.family === family));
  const servicePorts = portsOf(service, told);
  const ranges = rangesOf(service, servicePorts, told);
  const localReady = new Set<string>();
  const ports = families.flatMap((family) =>
    servicePorts.flatMap((port) => {
      const wanted = { name: port.name, protocol: port.protocol, family };
      const lists = endpointLists(slices, wanted, context, standingOf(common, port.protocol));
      for (const ip of lists.localReady) localReady.add(ip);
      return planPort(common, port, family, lists, ranges.get(port));
    }),
  );
  tellOfSlices(
    slices.filter(({ family }) => families.includes(family)),
    servicePorts,
    told,
  );
  return {
    key: common.key,
    clusterIPs: clusterIPs.map(({ ip }) => ip),
    ports,
    healthCheckNodePort: healthCheckNodePortOf(service),
    localReady: [...localReady].toSorted(),
    penaltyBox: common.penaltyBox,
    complaints: told.all(),
  };
}
