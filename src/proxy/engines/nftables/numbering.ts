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
  /** The number of a shape; where there is none left for turns of its own, of the same at random. */
  shape(family: IPFamily, shape: Shape): number;
}

/**
 * `wanted` names each target as often as it shall have slots. Keeps every slot that may stay; the last ones move into
 * the holes, new ones are appended: what moves is no more than what changes.
 */
export function assignSlots(previous: readonly string[], wanted: readonly string[]): string[] {
  const due = new Map<string, number>();
  for (const target of wanted) due.set(target, (due.get(target) ?? 0) + 1);
  const slots: (string | undefined)[] = previous.map((target) => {
    const left = due.get(target) ?? 0;
    if (left === 0) return undefined;
    due.set(target, left - 1);
    return target;
  });
  const fresh = [...due].flatMap(([target, count]) => Array<string>(count).fill(target));
  let next = 0;
  for (let at = 0; at < slots.length; at++) {
    if (slots[at] !== undefined) continue;
    if (next < fresh.length) {
      slots[at] = fresh[next++];
      continue;
    }
    while (slots.length > at && slots.at(-1) === undefined) slots.pop();
    if (at < slots.length - 1) slots[at] = slots.pop();
  }
  return [...slots.filter((target) => target !== undefined), ...fresh.slice(next)];
}

const SLOTS = { tcp: "bet", udp: "beu", sctp: "bes" } as const;
const ENDPOINTS = { tcp: "ept", udp: "epu", sctp: "eps" } as const;

function numberEndpoints(part: PortPart, was: PortNumbers, source: NumberSource): ReadonlyMap<string, number> {
  if (part.affinity === undefined) return new Map();
  const targets = new Set([...(part.lists.all ?? []), ...(part.lists.local ?? [])]);
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
  const { family, l4, affinity, choice, keepsPort } = part;
  const endpoints = numberEndpoints(part, before, source);
  const slots: { [name in ListName]?: readonly string[] } = {};
  const shapes: { [name in ListName]?: number } = {};
  const elements: Element[] = [];
  for (const list of ["all", "local"] as const) {
    const targets = part.lists[list];
    if (targets === undefined) continue;
    const usable = affinity === undefined ? targets : targets.filter((target) => endpoints.has(target));
    // Where the client's address chooses, what stands in a slot is the list's own affair and the same on every node.
    const assigned = choice === "client" ? usable : assignSlots(before.slots[list] ?? [], usable);
    slots[list] = assigned;
    const number = listNumber(port, list);
    shapes[list] = source.shape(family, {
      slots: assigned.length,
      choice,
      list: choice === "turn" ? number : undefined,
      affinity,
      local: affinity !== undefined && list === "local",
      keepsPort,
    });
    const name = priorityText(number);
    for (const [slot, target] of assigned.entries()) {
      const key = `${name} . ${slot}`;
      if (affinity === undefined) {
        elements.push({ family, set: keepsPort ? "bea" : SLOTS[l4], key, data: target });
        continue;
      }
      elements.push({ family, set: "aslot", key, data: priorityText(endpointNumber(port, endpoints.get(target)!)) });
    }
    if (affinity === undefined) continue;
    for (const target of new Set(assigned)) {
      const number = endpointNumber(port, endpoints.get(target)!);
      const key = priorityText(list === "local" ? (number | LOCAL_BIT) >>> 0 : number);
      elements.push({ family, set: keepsPort ? "epa" : ENDPOINTS[l4], key, data: target });
    }
  }
  for (const { map, key, list, masquerade } of part.entrances) {
    // No shape has number 0: an empty list leads nowhere.
    const number = entranceNumber(port, list, shapes[list] ?? 0, masquerade);
    elements.push({ family, set: map, key, data: priorityText(number) });
  }
  return { numbers: { port, slots, endpoints }, elements };
}

const endpointNumber = (port: number, endpoint: number): number => ((port << PORT_SHIFT) | endpoint) >>> 0;
