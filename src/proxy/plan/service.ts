import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { IPFamily } from "../../net/ip.ts";
import { read, type Annotation } from "../../api/annotation.ts";
import { balance } from "./annotations/balance.ts";
import { onRemoval } from "./annotations/on-removal.ts";
import { penaltyBox } from "./annotations/penalty-box.ts";
import { slowStart } from "./annotations/slow-start.ts";
import type { Place } from "./candidates.ts";
import type { Standing } from "./choose.ts";
import type { Claims } from "./claims.ts";
import { complaints } from "./complaints.ts";
import { endpointLists } from "./endpoints.ts";
import { addressesOf, isProxied } from "./frontends.ts";
import type { EndpointAddress, Protocol, ServicePlan } from "./plan.ts";
import { planPort, type Common } from "./port.ts";
import { portsOf } from "./ports.ts";
import { rangesOf } from "./ranges.ts";
import type { ReadSlice } from "./slice.ts";
import { tellOfSlices } from "./unfit.ts";

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

/** PRX-107. */
const healthCheckNodePortOf = ({ spec }: Service): number | undefined =>
  spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && spec.healthCheckNodePort
    ? spec.healthCheckNodePort
    : undefined;

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
  const key = keyOf(service);
  const told = complaints();
  const say = (sentence: string): void => told.add(sentence);
  const says = <T>(annotation: Annotation<T>): T =>
    read(annotation, service.metadata.annotations?.[annotation.name], say);
  const { sessionAffinity, sessionAffinityConfig } = service.spec ?? {};
  const affinitySeconds =
    sessionAffinity === "ClientIP" ? (sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined;
  const boxed = says(penaltyBox);
  const standingFor = (protocol: Protocol): Standing => ({
    isPenalized: boxed ? (one) => context.isPenalized(one, protocol) : () => false,
    tenths: (id) => context.tenths(key, id),
  });
  // Its steps come by `tenths`; here is only told what is wrong with it.
  says(slowStart);
  const addresses = addressesOf(service, told);
  const common: Common = {
    service,
    key,
    addresses,
    claims: context.claims,
    told,
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
      const lists = endpointLists(slices, wanted, context, standingFor(port.protocol));
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
    key,
    clusterIPs: clusterIPs.map(({ ip }) => ip),
    ports,
    healthCheckNodePort: healthCheckNodePortOf(service),
    localReady: [...localReady].toSorted(),
    penaltyBox: boxed,
    complaints: told.all(),
  };
}
