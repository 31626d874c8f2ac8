import { duplicate, forbidden, invalid, required, type Fault } from "../../fault.ts";
import type { ServicePort, ServiceSpec } from "../../generated/types.ts";
import { checked, oneOf } from "../../meta/check.ts";
import { checkLabel, checkPortName, checkQualifiedName, isPortNumber, portRange } from "../../meta/names.ts";
import { isHeadlessSpec } from "../needs.ts";

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

/** SVC-049 */
export const validateHasPorts = (spec: ServiceSpec): Fault[] =>
  spec.ports?.length || isHeadlessSpec(spec) || spec.type === "ExternalName" ? [] : [required("spec.ports")];

/** Each port by itself, and their names together (SVC-050 … SVC-057, SVC-061). */
export function validatePorts({ ports = [] }: ServiceSpec): Fault[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => validatePort(port, `spec.ports[${index}]`, ports.length > 1, names));
}

/** SVC-060 */
export const validateNodePorts = ({ type, ports = [] }: ServiceSpec): Fault[] =>
  ports.flatMap(({ nodePort }, index) =>
    type === "ClusterIP" && nodePort
      ? [forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'")]
      : [],
  );

/** How a port is shown that stands there twice: a whole port of which only the key is filled in, in Go's field names. */
const shown = ({ protocol, port }: ServicePort): object => ({
  Name: "",
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
});

/** SVC-059, SVC-058: a node port, and a port, once for each protocol. */
export function validateUniquePorts({ ports = [] }: ServiceSpec): Fault[] {
  const seen = new Set<string>();
  const isRepeated = (key: string): boolean => seen.size === seen.add(key).size;
  return [
    ...ports.flatMap(({ protocol, nodePort }, index) =>
      nodePort && isRepeated(`node port ${protocol}/${nodePort}`)
        ? [duplicate(`spec.ports[${index}].nodePort`, nodePort)]
        : [],
    ),
    ...ports.flatMap((port, index) =>
      isRepeated(`${port.protocol}/${port.port}`) ? [duplicate(`spec.ports[${index}]`, shown(port))] : [],
    ),
  ];
}
