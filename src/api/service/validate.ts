import { invalid, type Fault } from "../fault.ts";
import type { Service } from "../generated/types.ts";
import { oneOf } from "../meta/check.ts";
import { checkLabel } from "../meta/names.ts";
import { validateLabels, validateObjectMeta } from "../meta/objectMeta.ts";
import { validateChange } from "./validate/change.ts";
import { validateClusterIPs } from "./validate/clusterIPs.ts";
import { validateLoadBalancer, validateLoadBalancerStatus } from "./validate/loadBalancer.ts";
import { validateHasPorts, validateNodePorts, validatePorts, validateUniquePorts } from "./validate/ports.ts";
import { validateAffinity, validateExternalIPs, validatePolicies } from "./validate/traffic.ts";
import { validateByType } from "./validate/type.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
export const TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";
export const TOPOLOGY_AWARE_HINTS = "service.kubernetes.io/topology-aware-hints";

// SVC-045: a Service's name is a DNS label, so that it can be a name in DNS.
const RULES = { namespaced: true, checkName: checkLabel };

/** SVC-048: two spellings of one wish must not differ. */
function validateTopology(service: Service): Fault[] {
  const mode = service.metadata.annotations?.[TOPOLOGY_MODE];
  const hints = service.metadata.annotations?.[TOPOLOGY_AWARE_HINTS];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const why = `must match annotations[${TOPOLOGY_AWARE_HINTS}] when both are specified`;
  return [invalid(`metadata.annotations[${TOPOLOGY_MODE}]`, mode, why)];
}

/** The rules of a Service, SVC-045 … SVC-105, each fault with upstream's path and all of them in upstream's order. */
export function validate(next: Service, previous: Service | undefined): Fault[] {
  const spec = next.spec ?? {};
  return [
    ...validateObjectMeta(next.metadata, previous?.metadata, RULES),
    ...(previous === undefined ? [] : validateChange(next, previous)),
    ...validateTopology(next),
    ...validateHasPorts(spec),
    ...validateByType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validateAffinity(spec),
    ...validateClusterIPs(next, previous),
    ...validateExternalIPs(spec, previous?.spec),
    ...oneOf("spec.type", spec.type, TYPES),
    ...validateNodePorts(spec),
    ...validateUniquePorts(spec),
    ...validateLoadBalancer(next, previous),
    ...validatePolicies(next),
  ];
}

/** Through `/status` the spec is the stored one, which is not judged again. */
export const validateStatus = (next: Service, previous: Service): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, RULES),
  ...validateLoadBalancerStatus(next, previous),
];
