import type { IPFamily } from "../../../net/ip.ts";
import type { PortPart } from "./compile.ts";
import type { Element } from "./elements.ts";
import {
  entranceNumber,
  listNumber,
  LOCAL_BIT,
  MAX_ENDPOINT,
  PORT_SHIFT,
  priorityText,
  type ListName,
} from "./listid.ts";
import type { Shape } from "./shape.ts";

/** The numbers of one Service port: kept while it lives, so that a change of one endpoint changes one slot. */
export interface PortNumbers {
  readonly port: number;
  /** The target in each slot. */
  readonly slots: { readonly [name in ListName]?: readonly string[] };
  /** Endpoint numbers by target; only with affinity. */
  readonly endpoints: ReadonlyMap<string, number>;
}

/** Where numbers come from. */
export interface NumberSource {
  /** A free number of a Service port; the one it has in the kernel already, if it has. */
  port(part: PortPart): PortNumbers;
  /** A number for an endpoint that none in `taken` has. */
  endpoint(taken: ReadonlySet<number>): number;
  shape(family: IPFamily, shape: Shape): number;
}

/** Keeps every target that stays in its slot; the last ones move into the holes, new ones are appended. */
export function assignSlots(previous: readonly string[], wanted: readonly string[]): string[] {
  const targets = new Set(wanted);
  const kept = new Set(previous.filter((target) => targets.has(target)));
  const fresh = wanted.filter((target) => !kept.has(target));
  const slots: (string | undefined)[] = [];
  const seen = new Set<string>();
  for (const target of previous) {
    slots.push(targets.has(target) && !seen.has(target) ? target : undefined);
    seen.add(target);
  }
  for (let at = 0; at < slots.length; at++) {
    if (slots[at] !== undefined) continue;
    const next = fresh.shift();
    if (next !== undefined) {
      slots[at] = next;
      continue;
    }
    while (slots.length > at && slots.at(-1) === undefined) slots.pop();
    if (at < slots.length - 1) slots[at] = slots.pop();
  }
  return [...slots.filter((target) => target !== undefined), ...fresh];
}

const SLOTS = { tcp: "bet", udp: "beu", sctp: "bes" } as const;
const ENDPOINTS = { tcp: "ept", udp: "epu", sctp: "eps" } as const;

function numberEndpoints(part: PortPart, was: PortNumbers, source: NumberSource): ReadonlyMap<string, number> {
  if (part.affinity === undefined) return new Map();
  const targets = new Set([...(part.lists.all ?? []), ...(part.lists.local ?? [])].slice(0, 2 * MAX_ENDPOINT));
  const endpoints = new Map([...was.endpoints].filter(([target]) => targets.has(target)));
  // A number just given up is not taken again at once: a client that still remembers it must miss (PRX-099).
  const taken = new Set([...endpoints.values(), ...was.endpoints.values()]);
  for (const target of targets) {
    if (endpoints.has(target)) continue;
    if (taken.size >= MAX_ENDPOINT) break;
    const number = source.endpoint(taken);
    taken.add(number);
    endpoints.set(target, number);
  }
  return endpoints;
}

/** Gives a Service port its numbers and answers its elements. Undefined numbers: no list, so nothing to number. */
export function numberPort(
  part: PortPart,
  was: PortNumbers | undefined,
  source: NumberSource,
): { numbers: PortNumbers | undefined; elements: Element[] } {
  if (part.entrances.length === 0) return { numbers: undefined, elements: [] };
  const before = was ?? source.port(part);
  const { port } = before;
  const { family, l4, affinity } = part;
  const endpoints = numberEndpoints(part, before, source);
  const slots: { [name in ListName]?: readonly string[] } = {};
  const shapes: { [name in ListName]?: number } = {};
  const elements: Element[] = [];
  for (const list of ["all", "local"] as const) {
    const targets = part.lists[list];
    if (targets === undefined) continue;
    const usable = affinity === undefined ? targets : targets.filter((target) => endpoints.has(target));
    const assigned = assignSlots(before.slots[list] ?? [], usable);
    slots[list] = assigned;
    shapes[list] = source.shape(family, {
      slots: assigned.length,
      affinity,
      local: affinity !== undefined && list === "local",
    });
    const number = listNumber(port, list);
    for (const [slot, target] of assigned.entries()) {
      const key = `${priorityText(number)} . ${slot}`;
      if (affinity === undefined) {
        elements.push({ family, set: SLOTS[l4], key, data: target });
        continue;
      }
      const endpoint = ((port << PORT_SHIFT) | endpoints.get(target)!) >>> 0;
      const inList = list === "local" ? (endpoint | LOCAL_BIT) >>> 0 : endpoint;
      elements.push({ family, set: "aslot", key, data: priorityText(endpoint) });
      elements.push({ family, set: ENDPOINTS[l4], key: priorityText(inList), data: target });
    }
  }
  for (const { map, key, list, masquerade } of part.entrances) {
    // No shape has number 0: an empty list leads nowhere.
    const number = entranceNumber(port, list, shapes[list] ?? 0, masquerade);
    elements.push({ family, set: map, key, data: priorityText(number) });
  }
  return { numbers: { port, slots, endpoints }, elements };
}
