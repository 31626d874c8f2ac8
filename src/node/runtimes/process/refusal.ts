import type { Container, Pod } from "../../../api/generated/types.ts";
import { plainPath } from "../../volumes/plain-path.ts";
import type { Refusal } from "../runtime.ts";
import { coversSystem } from "./mount-targets.ts";

/** Whom a container runs as when nothing says otherwise: `nobody` (Debian, kernel overflow uid). */
const NOBODY = 65_534;

export const userOf = (pod: Pod, container: Container): number =>
  container.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser ?? NOBODY;

export const groupOf = (pod: Pod, container: Container): number =>
  container.securityContext?.runAsGroup ?? pod.spec?.securityContext?.runAsGroup ?? NOBODY;

const denied = (message: string): Refusal => ({ reason: "CreateContainerConfigError", message });

function refuseContainer(pod: Pod, container: Container, path: string, rootless: boolean): Refusal | undefined {
  if (container.securityContext?.privileged === true) {
    return denied(`${path}.securityContext.privileged: process pods get no rights on the host; remove it`);
  }
  const user = userOf(pod, container);
  const field = container.securityContext?.runAsUser === undefined ? "spec" : path;
  if (user === 0) {
    return denied(`${field}.securityContext.runAsUser: 0 is root on this machine and is refused; name another user`);
  }
  if (groupOf(pod, container) === 0 && !rootless) {
    return denied(
      `${path}: securityContext.runAsGroup: 0 is root's group on this machine and is refused; name another`,
    );
  }
  if (rootless && user !== NOBODY) {
    return denied(
      `${field}.securityContext.runAsUser: ${user}: without root only the one user ${NOBODY} exists for pods; remove it`,
    );
  }
  for (const mount of container.volumeMounts ?? []) {
    const target = plainPath(mount.mountPath);
    if (target === undefined) {
      return denied(
        `${path}.volumeMounts: mountPath ${JSON.stringify(mount.mountPath)} must be absolute, without ".."`,
      );
    }
    if (coversSystem(target)) {
      return denied(`${path}.volumeMounts: mountPath ${target} covers system files that a process pod is started with`);
    }
  }
  if ((container.command ?? []).length === 0) {
    return {
      reason: "CreateContainerError",
      message: `${path}.command: the process runtime runs programs of this machine and has no images: give a command`,
    };
  }
  return undefined;
}

/** Why a pod may not run as a process of this machine; judged by its spec alone. */
export function processRefusal(pod: Pod, rootless: boolean): Refusal | undefined {
  const spec = pod.spec;
  if (spec === undefined) return denied("spec: is missing");
  for (const field of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec[field] === true) return denied(`spec.${field}: process pods have their own; remove it`);
  }
  const writable = new Set(
    [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) =>
      (container.volumeMounts ?? []).filter((mount) => mount.readOnly !== true).map((mount) => mount.name),
    ),
  );
  for (const volume of spec.volumes ?? []) {
    if (volume.hostPath !== undefined && writable.has(volume.name)) {
      return denied(`spec.volumes[${volume.name}].hostPath: process pods may not write to the host's files; remove it`);
    }
  }
  const containers: [string, Container[]][] = [
    ["spec.initContainers", spec.initContainers ?? []],
    ["spec.containers", spec.containers],
  ];
  for (const [path, list] of containers) {
    for (const container of list) {
      const refusal = refuseContainer(pod, container, `${path}[${container.name}]`, rootless);
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}
