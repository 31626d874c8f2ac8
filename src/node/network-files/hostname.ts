import type { Pod } from "../../api/generated/types.ts";

export interface PodHostname {
  /** What the kernel says in the pod. */
  readonly kernel: string;
  /** The short name in the hosts file. */
  readonly short: string;
  /** Where the pod has a subdomain. */
  readonly fqdn: string | undefined;
}

/** The longest host name of Linux (`__NEW_UTS_LEN`). */
const LONGEST = 64;

/**
 * The names of a pod (DNS-097 … DNS-099); `machine` is the host name of the machine, which pods on the node's network have.
 * Throws when it must be called by an FQDN longer than the kernel takes.
 */
export function podHostname(pod: Pod, clusterDomain: string, machine: string): PodHostname {
  const spec = pod.spec;
  if (spec?.hostNetwork === true) return { kernel: machine, short: machine, fqdn: undefined };
  if (spec?.hostnameOverride) return { kernel: spec.hostnameOverride, short: spec.hostnameOverride, fqdn: undefined };
  const short = (spec?.hostname || (pod.metadata.name ?? "").slice(0, 63)).replace(/[-.]+$/, "");
  const fqdn = spec?.subdomain
    ? `${short}.${spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`
    : undefined;
  const kernel = spec?.setHostnameAsFQDN === true && fqdn !== undefined ? fqdn : short;
  if (kernel.length > LONGEST) {
    throw new Error(
      `spec.setHostnameAsFQDN: the name ${kernel} has ${kernel.length} characters, the kernel takes ${LONGEST}`,
    );
  }
  return { kernel, short, fqdn };
}
