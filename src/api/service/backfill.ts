import type { Service, ServicePort } from "../generated/types.ts";
import { needsClusterIP, needsHealthCheckNodePort, needsNodePorts } from "./needs.ts";

const nodePortsOf = (service: Service): number[] =>
  (service.spec?.ports ?? []).map((port) => port.nodePort ?? 0).filter((port) => port !== 0);

/** A port without node port takes the old one of the same name, unless that one stays in use elsewhere (SVC-167). */
function backfillNodePorts(next: Service, previous: Service): ServicePort[] {
  const wanted = new Set(nodePortsOf(next));
  const taken = new Set(nodePortsOf(previous).filter((port) => wanted.has(port)));
  const byName = new Map(previous.spec?.ports?.map((port) => [port.name ?? "", port.nodePort ?? 0]));
  return (next.spec?.ports ?? []).map((port) => {
    const was = byName.get(port.name ?? "") ?? 0;
    if (port.nodePort || was === 0 || taken.has(was)) return port;
    return { ...port, nodePort: was };
  });
}

/**
 * Fills in what was allocated before and is still needed, when an update left it out (SVC-166 … SVC-168): clients that
 * write only what they know about keep their addresses. Runs before `normalizeClusterIPs`.
 */
export function backfill(next: Service, previous: Service): Service {
  const spec = { ...next.spec };
  if (needsClusterIP(previous) && needsClusterIP(next)) {
    if (!spec.clusterIP && previous.spec?.clusterIP) spec.clusterIP = previous.spec.clusterIP;
    if (!spec.clusterIPs?.length && previous.spec?.clusterIPs?.length) spec.clusterIPs = [...previous.spec.clusterIPs];
  }
  if (needsNodePorts(previous) && needsNodePorts(next)) spec.ports = backfillNodePorts(next, previous);
  if (needsHealthCheckNodePort(previous) && needsHealthCheckNodePort(next)) {
    if (!spec.healthCheckNodePort && previous.spec?.healthCheckNodePort) {
      spec.healthCheckNodePort = previous.spec.healthCheckNodePort;
    }
  }
  return { ...next, spec };
}
