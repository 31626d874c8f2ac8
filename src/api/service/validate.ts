import { invalid, type Fault } from "../fault.ts";
import type { Service } from "../generated/types.ts";
import { oneOf } from "../meta/check.ts";
import { checkLabel } from "../meta/names.ts";
import { validateLabels, validateObjectMeta } from "../meta/objectMeta.ts";
import { HEADLESS } from "./needs.ts";
import { validateChange } from "./validate/change.ts";
import { validateClusterIPs } from "./validate/clusterIPs.ts";
import { validateLoadBalancer, validateLoadBalancerStatus } from "./validate/loadBalancer.ts";
import { validatePorts } from "./validate/ports.ts";
import { validateAffinity, validateExternalIPs, validateExternalName, validatePolicies } from "./validate/traffic.ts";

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

/** SVC-067 */
function validateHeadless(service: Service): Fault[] {
  const type = service.spec?.type;
  if (service.spec?.clusterIPs?.[0] !== HEADLESS || (type !== "LoadBalancer" && type !== "NodePort")) return [];
  return [invalid("spec.clusterIPs[0]", HEADLESS, `may not be set to 'None' for ${type} services`)];
}

/** The rules of a Service, SVC-045 … SVC-105, each fault with upstream's path. */
export function validate(next: Service, previous: Service | undefined): Fault[] {
  const spec = next.spec ?? {};
  return [
    ...validateObjectMeta(next.metadata, previous?.metadata, RULES),
    ...validateTopology(next),
    ...(previous === undefined ? [] : validateChange(next, previous)),
    ...oneOf("spec.type", spec.type, TYPES),
    ...validatePorts(next),
    ...validateHeadless(next),
    ...validateExternalName(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validateAffinity(spec),
    ...validateClusterIPs(next, previous),
    ...validateExternalIPs(spec, previous?.spec),
    ...validateLoadBalancer(next, previous),
    ...validatePolicies(next),
    ...validateLoadBalancerStatus(next, previous),
  ];
}

/** Through `/status` the spec is the stored one, which is not judged again. */
export const validateStatus = (next: Service, previous: Service): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, RULES),
  ...validateLoadBalancerStatus(next, previous),
];
