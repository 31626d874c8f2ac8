import type { Service, ServicePort, ServiceSpec, SessionAffinityConfig } from "../generated/types.ts";
import { isExternallyAccessible, needsInternalTrafficPolicy } from "./needs.ts";
import { serviceWithoutEmpties } from "./withoutEmpties.ts";

/** Three hours. */
const AFFINITY_SECONDS = 10_800;

const withPortDefaults = (port: ServicePort): ServicePort => ({
  ...port,
  protocol: port.protocol || "TCP",
  targetPort: port.targetPort || port.port,
});

function affinityConfig(spec: ServiceSpec): SessionAffinityConfig | undefined {
  // What was written for an affinity that is not asked for is dropped without a word (SVC-023).
  if (spec.sessionAffinity === "None") return undefined;
  if (spec.sessionAffinity !== "ClientIP") return spec.sessionAffinityConfig;
  return { clientIP: { timeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS } };
}

/** An address without a mode is taken as one that the load balancer keeps as destination (SVC-036). */
function withIPModes(service: Service): Service["status"] {
  const ingress = service.status?.loadBalancer?.ingress;
  if (ingress?.some((entry) => entry.ip && entry.ipMode === undefined) !== true) return service.status;
  return {
    ...service.status,
    loadBalancer: {
      ingress: ingress.map((entry) => (entry.ip && entry.ipMode === undefined ? { ...entry, ipMode: "VIP" } : entry)),
    },
  };
}

/** SVC-010 … SVC-039. Cluster IPs, families and node ports are not defaults: they are claimed. */
export function defaults(read: Service): Service {
  const service = serviceWithoutEmpties(read);
  const spec: ServiceSpec = { ...service.spec };
  spec.sessionAffinity ||= "None";
  spec.type ||= "ClusterIP";
  const config = affinityConfig(spec);
  if (config === undefined) delete spec.sessionAffinityConfig;
  else spec.sessionAffinityConfig = config;
  if (spec.ports !== undefined) spec.ports = spec.ports.map(withPortDefaults);
  const filled: Service = { ...service, spec };
  if (isExternallyAccessible(filled)) spec.externalTrafficPolicy ||= "Cluster";
  if (needsInternalTrafficPolicy(filled)) spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") {
    spec.allocateLoadBalancerNodePorts ??= true;
    const status = withIPModes(service);
    if (status !== undefined) filled.status = status;
  }
  return filled;
}
