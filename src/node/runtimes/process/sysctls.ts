import type { PodSpec } from "../../../api/generated/types.ts";
import { sysctlPath } from "../../pods/sysctls.ts";
import type { Refusal } from "../runtime.ts";

/** Kernel settings that are a pod's alone and do no harm to others: Kubernetes' list of safe ones (kubelet 1.36). */
const SAFE = new Set([
  "kernel/shm_rmid_forced",
  "net/ipv4/ip_local_port_range",
  "net/ipv4/tcp_syncookies",
  "net/ipv4/ping_group_range",
  "net/ipv4/ip_unprivileged_port_start",
  "net/ipv4/ip_local_reserved_ports",
  "net/ipv4/tcp_keepalive_time",
  "net/ipv4/tcp_fin_timeout",
  "net/ipv4/tcp_keepalive_intvl",
  "net/ipv4/tcp_keepalive_probes",
  "net/ipv4/tcp_rmem",
  "net/ipv4/tcp_wmem",
]);

const forbidden = (message: string): Refusal => ({ reason: "SysctlForbidden", message });

/** Why a pod may not have its kernel settings. */
export function refuseSysctls(spec: PodSpec): Refusal | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const path = sysctlPath(name);
    if (!SAFE.has(path)) return forbidden(`forbidden sysctl: ${JSON.stringify(name)} not allowlisted`);
    if (!path.startsWith("net/")) {
      return forbidden(
        `forbidden sysctl: ${JSON.stringify(name)}: each container has its own IPC namespace here, only net.ipv4 settings are the pod's`,
      );
    }
    if (spec.hostNetwork === true) {
      return forbidden(`forbidden sysctl: ${JSON.stringify(name)} not allowed with host net enabled`);
    }
  }
  return undefined;
}
