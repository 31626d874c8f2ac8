import type { Service } from "../../api/generated/types.ts";
import { read } from "../../api/annotation.ts";
import { portRange, type NamedRange, type PortRange } from "./annotations/port-range.ts";
import type { Complaints } from "./complaints.ts";
import type { ReadServicePort } from "./ports.ts";

/** What is left of a range without others. */
export function without(range: PortRange, taken: readonly PortRange[]): PortRange[] {
  const left: PortRange[] = [];
  let { port } = range;
  for (const other of taken.toSorted((one, two) => one.port - two.port)) {
    if (other.lastPort < port || other.port > range.lastPort) continue;
    if (other.port > port) left.push({ port, lastPort: other.port - 1 });
    port = other.lastPort + 1;
  }
  if (port <= range.lastPort) left.push({ port, lastPort: range.lastPort });
  return left;
}

export const overlap = (one: PortRange, other: PortRange): boolean =>
  one.port <= other.lastPort && other.port <= one.lastPort;

function meant(range: NamedRange, ports: readonly ReadServicePort[]): readonly ReadServicePort[] {
  if (range.of === undefined) return ports.length === 1 ? ports : [];
  const named = ports.filter(({ name }) => name === range.of);
  return named.length > 0 ? named : ports.filter(({ port }) => String(port) === range.of);
}

/** By ports of the Service, the ranges that lead to their endpoints. The Service's own ports go before its ranges. */
export function rangesOf(
  service: Service,
  ports: readonly ReadServicePort[],
  told?: Complaints,
): ReadonlyMap<ReadServicePort, readonly PortRange[]> {
  const found = new Map<ReadServicePort, PortRange[]>();
  const text = service.metadata.annotations?.[portRange.name];
  if (text === undefined) return found;
  const seen = new Map<string, PortRange[]>();
  for (const range of read(portRange, text, (sentence) => told?.add(sentence))) {
    const shown = `${portRange.name}: ${range.port}-${range.lastPort}`;
    const leads = meant(range, ports);
    if (leads.length === 0) {
      const named = range.of === undefined ? "which port it belongs to must be said" : `there is no port ${range.of}`;
      const names = ports.map(({ name, port }) => name || String(port)).join(", ");
      told?.add(`${shown} is left out: ${named}, and the ports of the Service are ${names || "none"}`);
    }
    for (const port of leads) {
      const before = seen.get(port.protocol) ?? [];
      const other = before.find((one) => overlap(one, range));
      if (other !== undefined) {
        told?.add(`${shown} is left out: it overlaps ${other.port}-${other.lastPort} before it`);
        continue;
      }
      seen.set(port.protocol, [...before, range]);
      const own = ports.filter(({ protocol }) => protocol === port.protocol);
      const left = without(
        range,
        own.map((one) => ({ port: one.port, lastPort: one.port })),
      );
      if (left.length > 0) found.set(port, [...(found.get(port) ?? []), ...left]);
    }
  }
  return found;
}
