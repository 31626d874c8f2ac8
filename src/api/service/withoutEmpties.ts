import type { Service, ServicePort, ServiceSpec, ServiceStatus } from "../generated/types.ts";
import { metadataWithoutEmpties, withoutEmpties } from "../meta/withoutEmpties.ts";

/** Fields that are no pointers upstream: an empty value is as good as none. */
const SPEC = [
  "ports",
  "selector",
  "clusterIP",
  "clusterIPs",
  "type",
  "externalIPs",
  "sessionAffinity",
  "loadBalancerIP",
  "loadBalancerSourceRanges",
  "externalName",
  "externalTrafficPolicy",
  "healthCheckNodePort",
  "publishNotReadyAddresses",
  "ipFamilies",
] as const satisfies (keyof ServiceSpec)[];

const portWithoutEmpties = (port: ServicePort): ServicePort => withoutEmpties(port, ["name", "protocol", "nodePort"]);

function statusWithoutEmpties(status: ServiceStatus): ServiceStatus {
  const { loadBalancer, ...rest } = withoutEmpties(status, ["conditions"]);
  const ingress = loadBalancer?.ingress?.map((entry) => withoutEmpties(entry, ["ip", "hostname", "ports"]));
  return { ...rest, loadBalancer: ingress?.length ? { ingress } : {} };
}

/** A Service as Go's types would have read it: fields that say nothing are not there. */
export function serviceWithoutEmpties(service: Service): Service {
  const spec = withoutEmpties(service.spec ?? {}, SPEC);
  if (spec.ports !== undefined) spec.ports = spec.ports.map(portWithoutEmpties);
  return {
    ...service,
    metadata: metadataWithoutEmpties(service.metadata),
    spec,
    ...(service.status === undefined ? {} : { status: statusWithoutEmpties(service.status) }),
  };
}
