import type { Service, ServicePort } from "../../api/generated/types.ts";
import { invalid, type Fault } from "../../api/fault.ts";
import { mayHaveNodePorts, needsHealthCheckNodePort, needsNodePorts } from "../../api/service/needs.ts";
import { ApiError, invalidObject } from "../../api/status.ts";
import type { Condition, Operation } from "../../store/store.ts";
import { nodePortKey } from "../keys.ts";
import { pickPort } from "./pick.ts";

export interface PortGround {
  readonly range: { readonly from: number; readonly to: number };
  isTaken(port: number): boolean;
  random(): number;
}

/** Every node port a Service holds, its health check's too: one pool for all protocols (SVC-147, SVC-148). */
export function portsOf(service: Service | undefined): Set<number> {
  const ports = (service?.spec?.ports ?? []).map((port) => port.nodePort ?? 0);
  return new Set([...ports, service?.spec?.healthCheckNodePort ?? 0].filter((port) => port > 0));
}

/**
 * The ports of a Service with their node ports filled in. On create entries of one `port` share a node port (SVC-152, SVC-153); on
 * update each gets its own (SVC-155). Throws ApiError for one taken, out of range, or when none is left (SVC-149 … SVC-151, SVC-159).
 */
export function claimNodePorts(
  next: Service,
  previous: Service | undefined,
  ground: PortGround,
): {
  ports: ServicePort[] | undefined;
  healthCheckNodePort: number | undefined;
  conditions: Condition[];
  operations: Operation[];
} {
  const held = portsOf(previous);
  const mine = new Set<number>();
  const faults: Fault[] = [];
  const out: Operation[] = [];
  const conditions: Condition[] = [];
  const owner = JSON.stringify({ namespace: next.metadata.namespace, name: next.metadata.name });
  const take = (port: number): void => {
    mine.add(port);
    if (held.has(port)) return;
    conditions.push({ key: nodePortKey(port), absent: true });
    out.push({ type: "put", key: nodePortKey(port), value: owner });
  };
  const taken = (port: number): boolean => mine.has(port) || (!held.has(port) && ground.isTaken(port));
  const free = (): number => {
    const port = pickPort(ground.range, (candidate) => taken(candidate) || held.has(candidate), ground.random());
    if (port === undefined) throw new ApiError("InternalError", "failed to allocate a nodePort: range is full");
    return port;
  };

  let ports = next.spec?.ports;
  if (mayHaveNodePorts(next) && ports !== undefined) {
    const byPort = new Map<number, number>();
    ports.forEach(({ nodePort, port }, index) => {
      if (!nodePort) return;
      const field = `spec.ports[${index}].nodePort`;
      // The same number for another protocol of this Service is one claim.
      const shared = previous === undefined ? byPort.get(port) === nodePort : mine.has(nodePort);
      if (!shared) {
        if (nodePort < ground.range.from || nodePort > ground.range.to) {
          if (!held.has(nodePort)) {
            faults.push(
              invalid(
                field,
                nodePort,
                `provided port is not in the valid range. The range of valid ports is ${ground.range.from}-${ground.range.to}`,
              ),
            );
          }
        } else if (taken(nodePort)) faults.push(invalid(field, nodePort, "provided port is already allocated"));
        if (!mine.has(nodePort)) take(nodePort);
      }
      byPort.set(port, nodePort);
    });
    if (faults.length > 0) throw invalidObject("", "Service", next.metadata.name ?? "", faults);
    if (needsNodePorts(next)) {
      ports = ports.map((port) => {
        if (port.nodePort) return port;
        let nodePort = previous === undefined ? byPort.get(port.port) : undefined;
        if (nodePort === undefined) {
          nodePort = free();
          take(nodePort);
          byPort.set(port.port, nodePort);
        }
        return { ...port, nodePort };
      });
    }
  }

  let healthCheckNodePort = next.spec?.healthCheckNodePort;
  if (needsHealthCheckNodePort(next)) {
    if (!healthCheckNodePort) healthCheckNodePort = free();
    else if (
      taken(healthCheckNodePort) ||
      (!held.has(healthCheckNodePort) &&
        (healthCheckNodePort < ground.range.from || healthCheckNodePort > ground.range.to))
    ) {
      throw new ApiError(
        "InternalError",
        `failed to allocate requested HealthCheck NodePort ${healthCheckNodePort}: it is taken or not in the valid range`,
      );
    }
    take(healthCheckNodePort);
  }
  for (const port of held) if (!mine.has(port)) out.push({ type: "delete", key: nodePortKey(port) });
  return { ports, healthCheckNodePort, conditions, operations: out };
}
