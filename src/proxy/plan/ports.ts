import type { Service, ServicePort } from "../../api/generated/types.ts";
import type { Complaints } from "./complaints.ts";
import type { Protocol } from "./plan.ts";

const PROTOCOLS: readonly string[] = ["TCP", "UDP", "SCTP"] satisfies Protocol[];

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
export const isProtocol = (text: string): text is Protocol => PROTOCOLS.includes(text);

/** A port of a Service as far as a proxy can carry it. */
export interface ReadServicePort {
  /** Empty where a Service has one port without a name. */
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly nodePort: number | undefined;
}

const label = ({ name, port, protocol = "TCP" }: ServicePort): string =>
  `port ${name ? `${name} (${port}/${protocol})` : `${port}/${protocol}`}`;

/** The ports of a Service without those that nobody can carry, or that are there already. An API server lets none of these in. */
export function portsOf(service: Service, told: Complaints): ReadServicePort[] {
  const ports: ReadServicePort[] = [];
  for (const given of service.spec?.ports ?? []) {
    const { name = "", port, protocol = "TCP", nodePort } = given;
    if (!isPort(port) || !isProtocol(protocol)) {
      told.add(`${label(given)} should be 1 to 65535 of TCP, UDP or SCTP; it is left out`);
      continue;
    }
    const same = ports.filter((other) => other.protocol === protocol);
    if (same.some((other) => other.port === port || other.name === name)) {
      told.add(`${label(given)} has the number or the name of a port before it; it is left out`);
      continue;
    }
    const isTaken = nodePort !== undefined && same.some((other) => other.nodePort === nodePort);
    const isWrong = nodePort !== undefined && nodePort !== 0 && !isPort(nodePort);
    if (isTaken) told.add(`${label(given)} has the node port of a port before it, ${nodePort}; it has none`);
    if (isWrong) told.add(`${label(given)} has node port ${nodePort}, which should be 1 to 65535; it has none`);
    ports.push({ name, port, protocol, nodePort: isTaken || isWrong ? undefined : nodePort || undefined });
  }
  return ports;
}
