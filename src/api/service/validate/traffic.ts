import { forbidden, invalid, required, type Fault } from "../../fault.ts";
import type { Service, ServiceSpec } from "../../generated/types.ts";
import { checkedDestination, oneOf, optionalOneOf } from "../../meta/check.ts";
import { isPortNumber, portRange } from "../../meta/names.ts";
import { isExternallyAccessible, needsHealthCheckNodePort, needsInternalTrafficPolicy } from "../needs.ts";

const POLICIES = ["Cluster", "Local"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const DAY_SECONDS = 86_400;

/** SVC-068 … SVC-071 */
export function validateAffinity(spec: ServiceSpec): Fault[] {
  const field = "spec.sessionAffinityConfig";
  const config = spec.sessionAffinityConfig;
  const faults = oneOf("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]);
  if (spec.sessionAffinity === "None" && config !== undefined) {
    faults.push(forbidden(field, "must not be set when session affinity is None"));
  }
  if (spec.sessionAffinity !== "ClientIP") return faults;
  if (config === undefined) return [...faults, required(field, "when session affinity type is ClientIP")];
  const seconds = config.clientIP?.timeoutSeconds;
  if (config.clientIP === undefined)
    faults.push(required(`${field}.clientIP`, "when session affinity type is ClientIP"));
  else if (seconds === undefined) {
    faults.push(required(`${field}.clientIP.timeoutSeconds`, "when session affinity type is ClientIP"));
  } else if (seconds <= 0 || seconds > DAY_SECONDS) {
    faults.push(
      invalid(`${field}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${DAY_SECONDS}`),
    );
  }
  return faults;
}

/** SVC-072, SVC-073 */
export const validateExternalIPs = (spec: ServiceSpec, before: ServiceSpec | undefined): Fault[] =>
  (spec.externalIPs ?? []).flatMap((ip, index) =>
    checkedDestination(`spec.externalIPs[${index}]`, ip, before?.externalIPs ?? []),
  );

/** SVC-088 … SVC-092 */
export function validatePolicies(service: Service): Fault[] {
  const spec = service.spec ?? {};
  const faults: Fault[] = [];
  const external = spec.externalTrafficPolicy;
  if (isExternallyAccessible(service)) faults.push(...oneOf("spec.externalTrafficPolicy", external, POLICIES));
  else if (external) {
    faults.push(invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services"));
  }
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheckNodePort(service)) {
    if (port !== 0) {
      const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      faults.push(invalid("spec.healthCheckNodePort", port, why));
    }
  } else if (port === 0) faults.push(required("spec.healthCheckNodePort"));
  else if (!isPortNumber(port)) faults.push(invalid("spec.healthCheckNodePort", port, portRange));
  const internal = spec.internalTrafficPolicy;
  if (needsInternalTrafficPolicy(service) && internal === undefined)
    faults.push(required("spec.internalTrafficPolicy"));
  faults.push(...optionalOneOf("spec.internalTrafficPolicy", internal, POLICIES));
  faults.push(...optionalOneOf("spec.trafficDistribution", spec.trafficDistribution, DISTRIBUTIONS));
  return faults;
}
