import type { EndpointSlice, Node, Pod, Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { familiesOf, selectorOf, selects } from "../pods/addresses.ts";
import { endpointPortsOf, portsKey } from "../pods/ports.ts";
import { isEndpoint } from "./endpoint.ts";
import { isOurs, isOwnedBy } from "./metadata.ts";
import type { SliceChanges } from "./decide.ts";
import { isAuto } from "./topology/mode.ts";

export interface NarrowInput {
  readonly service: Service;
  /** Keys of the pods that something is new of. */
  readonly touched: ReadonlySet<string>;
  readonly existing: readonly EndpointSlice[];
  /** A pod by `namespace/name`, whether the Service selects it or not. */
  readonly pod: (key: string) => Pod | undefined;
  readonly node: (name: string) => Node | undefined;
  readonly most: number;
}

/** Fewer slices than this are looked at whole: it costs no more. */
const FEW = 4;

/** Names of the pods in each slice. Slices are never changed, only replaced; so each is read through once. */
const namesIn = new WeakMap<EndpointSlice, ReadonlySet<string>>();
function podsIn(slice: EndpointSlice): ReadonlySet<string> {
  let names = namesIn.get(slice);
  if (names === undefined) {
    names = new Set((slice.endpoints ?? []).flatMap(({ targetRef }) => targetRef?.name ?? []));
    namesIn.set(slice, names);
  }
  return names;
}

/**
 * The part of a Service that a change of a few pods concerns: the slices that hold them, one slice a family with room for those
 * that are in none, and all pods of these slices. What is decided of the part is right for the whole as long as `isWithin`
 * says so. So one pod's change costs the same whether the Service has a hundred pods or ten thousand. Undefined when the whole
 * is to be looked at; without pods and slices when nothing is.
 */
export function narrow(input: NarrowInput): { pods: Pod[]; existing: EndpointSlice[] } | undefined {
  const { service, touched, pod, most } = input;
  const selector = selectorOf(service);
  // Hints by share depend on all endpoints together (CTL-073).
  if (selector === undefined || isAuto(service)) return undefined;
  const ours = input.existing.filter((slice) => isOurs(slice) && slice.metadata.deletionTimestamp === undefined);
  if (ours.length < FEW || ours.some((slice) => !isOwnedBy(slice, service))) return undefined;
  const selected = (key: string): Pod | undefined => {
    const found = pod(key);
    return found !== undefined && selects(selector, found.metadata.labels ?? {}) ? found : undefined;
  };

  const names = [...touched].map((key) => key.slice(key.indexOf("/") + 1));
  const holding = ours.filter((slice) => {
    const held = podsIn(slice);
    return names.some((name) => held.has(name));
  });
  if (holding.length * 2 > ours.length) return undefined;
  const concerned = new Set(holding);
  const pods = new Map<string, Pod>();
  const add = (found: Pod | undefined): void => {
    if (found !== undefined) pods.set(keyOf(found), found);
  };

  const homeless: Pod[] = [];
  for (const key of touched) {
    const found = selected(key);
    add(found);
    const name = key.slice(key.indexOf("/") + 1);
    if (found === undefined || holding.some((slice) => podsIn(slice).has(name))) continue;
    const nodeName = found.spec?.nodeName;
    if (isEndpoint(found, service, nodeName === undefined ? undefined : input.node(nodeName))) homeless.push(found);
    // A pod that is no endpoint and was none concerns no slice.
    else pods.delete(key);
  }
  if (holding.length === 0 && homeless.length === 0) return { pods: [], existing: [] };
  const ports = homeless[0] === undefined ? undefined : portsKey(endpointPortsOf(service, homeless[0]));
  const families = familiesOf(service);
  for (const family of families) {
    const here = ours.filter(({ addressType }) => addressType === family);
    // The one that says there are no endpoints of this family must stay in sight, or another would be made.
    for (const slice of here) if ((slice.endpoints ?? []).length === 0) concerned.add(slice);
    if (ports === undefined) continue;
    const roomy = here
      .filter(
        (slice) =>
          !concerned.has(slice) &&
          (slice.endpoints ?? []).length + homeless.length <= most &&
          portsKey(slice.ports) === ports,
      )
      .sort((a, b) => (b.endpoints ?? []).length - (a.endpoints ?? []).length)[0];
    if (roomy !== undefined) concerned.add(roomy);
  }
  // A pod of two families is in a slice of each: all of them belong to the part, or it would be given another place.
  for (let grown = families.length > 1; grown;) {
    const inside = new Set([...concerned].flatMap((slice) => [...podsIn(slice)]));
    const more = ours.filter((slice) => !concerned.has(slice) && [...podsIn(slice)].some((name) => inside.has(name)));
    for (const slice of more) concerned.add(slice);
    grown = more.length > 0;
  }
  // No slice has room: a new one is needed.
  if (concerned.size === 0 || concerned.size * 2 > ours.length) return undefined;
  const namespace = service.metadata.namespace ?? "";
  for (const slice of concerned) for (const name of podsIn(slice)) add(selected(`${namespace}/${name}`));
  return { pods: [...pods.values()], existing: [...concerned] };
}

/** Whether changes decided of a part touch nothing beyond it: a slice that goes, comes or is left empty concerns the whole. */
export const isWithin = ({ stale, create, update, delete: removed }: SliceChanges): boolean =>
  stale.length === 0 &&
  create.length === 0 &&
  removed.length === 0 &&
  update.every(({ endpoints }) => (endpoints ?? []).length > 0);
