import type { Container, Pod, PodSpec } from "../generated/types.ts";
import { withContainerDefaults, withHostPorts, withRequests } from "./defaults/container.ts";
import { withVolumeDefaults } from "./defaults/volume.ts";

export const GRACE_SECONDS = 30;

/** What a pod's writer may leave out, wherever the spec stands: in a pod, or in the template of a workload. */
export function withPodSpecDefaults(said: PodSpec | undefined): PodSpec {
  const spec: PodSpec = { containers: [], ...said };
  spec.containers = spec.containers.map(withContainerDefaults);
  if (spec.initContainers !== undefined) spec.initContainers = spec.initContainers.map(withContainerDefaults);
  if (spec.ephemeralContainers !== undefined) {
    spec.ephemeralContainers = spec.ephemeralContainers.map(withContainerDefaults);
  }
  if (spec.volumes !== undefined) spec.volumes = spec.volumes.map(withVolumeDefaults);
  spec.restartPolicy ||= "Always";
  spec.dnsPolicy ||= "ClusterFirst";
  spec.schedulerName ||= "default-scheduler";
  spec.terminationGracePeriodSeconds ??= GRACE_SECONDS;
  spec.securityContext ??= {};
  // Two names of one field; the older one is deprecated and still read by clients.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  return spec;
}

/** What a pod's writer may leave out. Node, address and status come later, from others. */
export function defaults(pod: Pod): Pod {
  const spec = withPodSpecDefaults(pod.spec);
  // A template says none of these: they are filled in each pod that is made from it.
  const own = (container: Container): Container => {
    const filled = { ...container, resources: withRequests(container.resources) };
    return spec.hostNetwork === true ? withHostPorts(filled) : filled;
  };
  spec.containers = spec.containers.map(own);
  if (spec.initContainers !== undefined) spec.initContainers = spec.initContainers.map(own);
  spec.enableServiceLinks ??= true;
  return { ...pod, spec };
}
