import type { Container, Pod } from "../../../api/generated/types.ts";
import { plainPath } from "../../volumes/plain-path.ts";
import type { Refusal } from "../runtime.ts";
import { beyondUsual, unknownCapability } from "./capabilities.ts";
import { coversSystem } from "./mount-targets.ts";
import { refuseSysctls } from "./sysctls.ts";
import { groupOf, NOBODY, userOf } from "./user.ts";

/** What this machine lets its pods have. */
export interface Allowance {
  readonly rootless: boolean;
  /** `--allow-host-access`. */
  readonly hostAccess: boolean;
}

const denied = (message: string): Refusal => ({ reason: "CreateContainerConfigError", message });
const needsFlag = (field: string, why: string): Refusal => denied(`${field}: ${why}; it needs --allow-host-access`);

/** As upstream says it: a promise not to be root is kept before anything else is judged. */
function refuseRoot(pod: Pod, container: Container): Refusal | undefined {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot;
  if (nonRoot !== true || userOf(pod, container) !== 0) return undefined;
  const { name, namespace, uid } = pod.metadata;
  return denied(
    `container's runAsUser breaks non-root policy (pod: "${name}_${namespace}(${uid})", container: ${container.name})`,
  );
}

function refuseUser(pod: Pod, container: Container, path: string, allowance: Allowance): Refusal | undefined {
  const user = userOf(pod, container);
  const field = `${container.securityContext?.runAsUser === undefined ? "spec" : path}.securityContext.runAsUser`;
  if (allowance.rootless && user !== NOBODY) {
    return denied(`${field}: ${user}: without root only the one user ${NOBODY} exists for pods; remove it`);
  }
  if (allowance.hostAccess) return undefined;
  if (user === 0) {
    return needsFlag(field, "0 is root on this machine and is refused, name another user");
  }
  if (groupOf(pod, container) === 0 && !allowance.rootless) {
    return needsFlag(
      `${path}.securityContext.runAsGroup`,
      "0 is root's group on this machine and is refused, name another",
    );
  }
  return undefined;
}

function refuseRights(container: Container, path: string, allowance: Allowance): Refusal | undefined {
  const context = container.securityContext;
  const field = `${path}.securityContext`;
  const unknown = unknownCapability(container);
  if (unknown !== undefined) return denied(`${field}.capabilities: ${unknown} is no capability`);
  if (context?.privileged === true && allowance.rootless) {
    return denied(`${field}.privileged: without root there are no rights on the host to give; remove it`);
  }
  if (context?.seccompProfile?.type === "Localhost") {
    return denied(`${field}.seccompProfile: Localhost profiles are not supported; RuntimeDefault is`);
  }
  if (context?.procMount === "Unmasked") {
    return denied(`${field}.procMount: Unmasked is not supported; remove it`);
  }
  if (allowance.hostAccess) return undefined;
  if (context?.privileged === true) return needsFlag(`${field}.privileged`, "process pods get no rights on the host");
  const beyond = beyondUsual(container);
  return beyond === undefined
    ? undefined
    : needsFlag(`${field}.capabilities.add`, `${beyond} is more than containers usually have`);
}

function refuseMounts(container: Container, path: string): Refusal | undefined {
  if ((container.volumeDevices ?? []).length > 0) {
    return denied(`${path}.volumeDevices: there are no block volumes here; use volumeMounts`);
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
  return undefined;
}

function refuseContainer(pod: Pod, container: Container, path: string, allowance: Allowance): Refusal | undefined {
  const refusal =
    refuseRoot(pod, container) ??
    refuseRights(container, path, allowance) ??
    refuseUser(pod, container, path, allowance) ??
    refuseMounts(container, path);
  if (refusal !== undefined) return refusal;
  const port = pod.spec?.hostNetwork === true ? undefined : container.ports?.find(({ hostPort }) => hostPort);
  if (port !== undefined) {
    return denied(
      `${path}.ports: hostPort ${port.hostPort}: ports of the node are not given to pods; use a Service of type NodePort or LoadBalancer, or hostNetwork`,
    );
  }
  if ((container.command ?? []).length > 0) return undefined;
  const image = container.image ? ` the image ${container.image} is not fetched;` : "";
  return {
    reason: "CreateContainerError",
    message: `${path}.command: the process runtime runs programs of this machine and has no images:${image} give a command, or start Fairlead with --runtime simulated, which needs no program`,
  };
}

function refusePod(spec: NonNullable<Pod["spec"]>, allowance: Allowance): Refusal | undefined {
  if (spec.hostPID === true) return denied("spec.hostPID: process pods have their own process ids; remove it");
  for (const field of ["hostNetwork", "hostIPC"] as const) {
    if (spec[field] === true && !allowance.hostAccess) return needsFlag(`spec.${field}`, "process pods have their own");
  }
  if (spec.shareProcessNamespace === true) {
    return denied("spec.shareProcessNamespace: each container has its own process ids here; remove it");
  }
  if (spec.securityContext?.seccompProfile?.type === "Localhost") {
    return denied("spec.securityContext.seccompProfile: Localhost profiles are not supported; RuntimeDefault is");
  }
  for (const volume of spec.volumes ?? []) {
    if (volume.hostPath !== undefined && !allowance.hostAccess) {
      return needsFlag(`spec.volumes[${volume.name}].hostPath`, "process pods have no part of the host's files");
    }
  }
  return refuseSysctls(spec);
}

/** Why a pod may not run as a process of this machine; judged by its spec alone. */
export function processRefusal(pod: Pod, allowance: Allowance): Refusal | undefined {
  const spec = pod.spec;
  if (spec === undefined) return denied("spec: is missing");
  const refusal = refusePod(spec, allowance);
  if (refusal !== undefined) return refusal;
  const containers: [string, Container[]][] = [
    ["spec.initContainers", spec.initContainers ?? []],
    ["spec.containers", spec.containers],
  ];
  for (const [path, list] of containers) {
    for (const container of list) {
      const refused = refuseContainer(pod, container, `${path}[${container.name}]`, allowance);
      if (refused !== undefined) return refused;
    }
  }
  return undefined;
}
