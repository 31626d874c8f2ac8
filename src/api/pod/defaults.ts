import type { Pod, PodSpec } from "../generated/types.ts";
import { withContainerDefaults } from "./defaults/container.ts";
import { withVolumeDefaults } from "./defaults/volume.ts";

export const GRACE_SECONDS = 30;

/** What a pod's writer may leave out. Node, address and status come later, from others. */
export function defaults(pod: Pod): Pod {
  const spec: PodSpec = { containers: [], ...pod.spec };
  const hostNetwork = spec.hostNetwork === true;
  spec.containers = spec.containers.map((container) => withContainerDefaults(container, hostNetwork));
  if (spec.initContainers !== undefined) {
    spec.initContainers = spec.initContainers.map((container) => withContainerDefaults(container, hostNetwork));
  }
  if (spec.ephemeralContainers !== undefined) {
    spec.ephemeralContainers = spec.ephemeralContainers.map((container) => withContainerDefaults(container, false));
  }
  if (spec.volumes !== undefined) spec.volumes = spec.volumes.map(withVolumeDefaults);
  spec.restartPolicy ||= "Always";
  spec.dnsPolicy ||= "ClusterFirst";
  spec.schedulerName ||= "default-scheduler";
  spec.terminationGracePeriodSeconds ??= GRACE_SECONDS;
  spec.enableServiceLinks ??= true;
  spec.securityContext ??= {};
  // Two names of one field; the older one is deprecated and still read by clients.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  return { ...pod, spec };
}
