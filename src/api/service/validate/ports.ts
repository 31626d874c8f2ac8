import { duplicate, forbidden, invalid, required, type Fault } from "../../fault.ts";
import type { Service, ServicePort } from "../../generated/types.ts";
import { checked, oneOf } from "../../meta/check.ts";
import { checkLabel, checkPortName, checkQualifiedName, isPortNumber, portRange } from "../../meta/names.ts";
import { isHeadless } from "../needs.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

function validateTargetPort(field: string, targetPort: ServicePort["targetPort"]): Fault[] {
  if (typeof targetPort === "string") return checked(checkPortName, field, targetPort);
  return isPortNumber(targetPort ?? 0) ? [] : [invalid(field, targetPort ?? 0, portRange)];
}

function validatePort(port: ServicePort, field: string, nameNeeded: boolean, names: Set<string>): Fault[] {
  const faults: Fault[] = [];
  if (!port.name) {
    if (nameNeeded) faults.push(required(`${field}.name`));
  } else {
    faults.push(...checked(checkLabel, `${field}.name`, port.name));
    if (names.has(port.name)) faults.push(duplicate(`${field}.name`, port.name));
    names.add(port.name);
  }
  if (!isPortNumber(port.port)) faults.push(invalid(`${field}.port`, port.port, portRange));
  faults.push(...oneOf(`${field}.protocol`, port.protocol, PROTOCOLS));
  faults.push(...validateTargetPort(`${field}.targetPort`, port.targetPort));
  if (port.appProtocol !== undefined) {
    faults.push(...checked(checkQualifiedName, `${field}.appProtocol`, port.appProtocol));
  }
  return faults;
}

/** SVC-058, SVC-059: a port, and a node port, once for each protocol. */
function validateUnique(ports: readonly ServicePort[]): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const seenNodePorts = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    const key = `${port.protocol}/${port.port}`;
    if (seen.has(key)) faults.push(duplicate(field, { protocol: port.protocol, port: port.port }));
    seen.add(key);
    if (!port.nodePort) continue;
    const nodeKey = `${port.protocol}/${port.nodePort}`;
    if (seenNodePorts.has(nodeKey)) faults.push(duplicate(`${field}.nodePort`, port.nodePort));
    seenNodePorts.add(nodeKey);
  }
  return faults;
}

/** SVC-049 … SVC-061 */
export function validatePorts(service: Service): Fault[] {
  const ports = service.spec?.ports ?? [];
  const type = service.spec?.type;
  const faults: Fault[] = [];
  if (ports.length === 0 && !isHeadless(service) && type !== "ExternalName") faults.push(required("spec.ports"));
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    faults.push(...validatePort(port, `spec.ports[${index}]`, ports.length > 1, names));
    if (type === "ClusterIP" && port.nodePort) {
      faults.push(forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
  }
  return [...faults, ...validateUnique(ports)];
}
