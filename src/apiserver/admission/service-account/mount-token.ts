import type { Container, Pod, PodSpec, ServiceAccount, Volume, VolumeMount } from "../../../api/generated/types.ts";

/** Where programs look for their ServiceAccount's token. */
const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";
/** The life by which kubelet's own tokens are known; see the token request, which makes them last longer. */
const TOKEN_SECONDS = 3607;
const MODE = 0o644;

/** Whether the pod wants a token in its containers: its own word counts before its ServiceAccount's. */
export const wantsToken = (pod: Pod, account: Pick<ServiceAccount, "automountServiceAccountToken">): boolean =>
  pod.spec?.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;

/** A token, the authority by which the API server is believed, and the pod's namespace. */
const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode: MODE,
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
  },
});

/**
 * The spec with the token mounted in every container that has nothing of its own there. `suffix` ends the volume's name,
 * unless the pod has such a volume already. Pure.
 */
export function withToken(spec: PodSpec, suffix: () => string): PodSpec {
  const present = spec.volumes?.find(({ name }) => name.startsWith(VOLUME_PREFIX))?.name;
  const name = present ?? `${VOLUME_PREFIX}${suffix()}`;
  const mount: VolumeMount = { mountPath: MOUNT_PATH, name, readOnly: true };
  let isNeeded = false;
  const mounted = <T extends Container>(container: T): T => {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH) === true) return container;
    isNeeded = true;
    return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
  };
  const next: PodSpec = {
    ...spec,
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(mounted) }),
    containers: spec.containers.map(mounted),
  };
  return isNeeded && present === undefined ? { ...next, volumes: [...(spec.volumes ?? []), tokenVolume(name)] } : next;
}
