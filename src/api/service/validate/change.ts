import { forbidden, invalid, type Fault } from "../../fault.ts";
import type { Service } from "../../generated/types.ts";
import { isHeadlessSpec, needsHealthCheckNodePort } from "../needs.ts";
import { validateClass } from "./loadBalancer.ts";

const ONCE = "may not change once set";

/** What a list that is fixed at its first element may do: grow by a second, or shrink to the first under `SingleStack`. */
interface FixedList {
  readonly field: "clusterIPs" | "ipFamilies";
  /** How one is named in a sentence. */
  readonly noun: "clusterIP" | "ipFamily";
  /** Where a changed element of lists of one length is reported. */
  readonly at: (index: number) => number;
}

const CLUSTER_IPS: FixedList = { field: "clusterIPs", noun: "clusterIP", at: (index) => index };
const IP_FAMILIES: FixedList = { field: "ipFamilies", noun: "ipFamily", at: () => 0 };

function validateList(next: Service, previous: Service, { field, noun, at }: FixedList): Fault[] {
  const now = next.spec?.[field] ?? [];
  const was = previous.spec?.[field] ?? [];
  const path = (index: number): string => `spec.${field}[${index}]`;
  if (now.length === was.length) {
    return now.flatMap((value, index) => (value === was[index] ? [] : [invalid(path(at(index)), now, ONCE)]));
  }
  if (now.length === 0) return [invalid(path(0), next.spec?.[field], `primary ${noun} can not be unset`)];
  // Upstream shows the addresses here, whichever list it is about.
  const faults = was.length > 0 && now[0] !== was[0] ? [invalid(path(0), next.spec?.clusterIPs, ONCE)] : [];
  const policy = next.spec?.ipFamilyPolicy;
  if (now.length === 1 && was.length > 1 && policy !== "SingleStack") {
    faults.push(
      invalid("spec.ipFamilyPolicy", policy, `must be set to 'SingleStack' when releasing the secondary ${noun}`),
    );
  }
  return faults;
}

/** SVC-093 … SVC-098: other clients hold the addresses of a Service, so they stay. */
function validateAddresses(next: Service, previous: Service): Fault[] {
  if (next.spec?.type === "ExternalName" || previous.spec?.type === "ExternalName") return [];
  const headless = isHeadlessSpec(next.spec ?? {});
  const wasHeadless = isHeadlessSpec(previous.spec ?? {});
  if (headless && wasHeadless) return [];
  return [
    ...validateList(next, previous, CLUSTER_IPS),
    ...(headless === wasHeadless ? validateList(next, previous, IP_FAMILIES) : []),
  ];
}

/** SVC-087 */
function validateClassChange(next: Service, previous: Service): Fault[] {
  if (next.spec?.type !== "LoadBalancer" || previous.spec?.type !== "LoadBalancer") return [];
  const { loadBalancerClass } = next.spec;
  return loadBalancerClass === previous.spec.loadBalancerClass
    ? []
    : [invalid("spec.loadBalancerClass", loadBalancerClass, ONCE)];
}

/** SVC-090 */
function validateHealthCheckNodePort(next: Service, previous: Service): Fault[] {
  if (!needsHealthCheckNodePort(next) || !needsHealthCheckNodePort(previous)) return [];
  return next.spec?.healthCheckNodePort === previous.spec?.healthCheckNodePort
    ? []
    : [forbidden("spec.healthCheckNodePort", "field is immutable")];
}

/** What an update may not do; all else is free to change (SVC-099). */
export const validateChange = (next: Service, previous: Service): Fault[] => [
  ...validateAddresses(next, previous),
  ...validateClassChange(next, previous),
  // Upstream looks at the class twice on update, and so tells its faults twice.
  ...validateClass(next.spec ?? {}),
  ...validateHealthCheckNodePort(next, previous),
];
