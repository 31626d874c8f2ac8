import type { Endpoint, EndpointPort, EndpointSlice, Node, Pod, Service } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import { familiesOf, selectorOf } from "../pods/addresses.ts";
import { endpointPortsOf, portsKey } from "../pods/ports.ts";
import { endpointOf, isEndpoint } from "./endpoint.ts";
import { generateNameOf, isOurs, isOwnedBy, labelsOf, ownerOf, sameLabels, withTriggerTime } from "./metadata.ts";
import { pack } from "./pack.ts";

export interface SliceInput {
  readonly service: Service;
  /** The pods that the Service selects. */
  readonly pods: readonly Pod[];
  readonly node: (name: string) => Node | undefined;
  /** The slices with this Service's name label, whoever made them. */
  readonly existing: readonly EndpointSlice[];
  /** CTL-043: RFC 3339, when what brought this about happened; undefined when nothing new did. */
  readonly triggerTime?: string | undefined;
  /** CTL-036: `--max-endpoints-per-slice`. */
  readonly most?: number;
}

/** What has to be written. Nothing in it has been seen by the server yet; updates carry the version they were made from. */
export interface SliceChanges {
  /** Slices of a deleted namesake: to go before anything else, so that its pods are never shown as this Service's. */
  readonly stale: readonly EndpointSlice[];
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

const NO_CHANGES: SliceChanges = { stale: [], create: [], update: [], delete: [] };

interface Wanted {
  readonly ports: EndpointPort[];
  readonly endpoints: Endpoint[];
}

/** CTL-031, CTL-033: the endpoints of one family by the ports that they have. */
function wantedOf({ service, pods, node }: SliceInput, family: IPFamily): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const pod of pods) {
    const its = pod.spec?.nodeName === undefined ? undefined : node(pod.spec.nodeName);
    if (!isEndpoint(pod, service, its)) continue;
    const endpoint = endpointOf(pod, service, its, family);
    if (endpoint === undefined) continue;
    const ports = endpointPortsOf(service, pod);
    const key = portsKey(ports);
    const held = wanted.get(key);
    if (held === undefined) wanted.set(key, { ports, endpoints: [endpoint] });
    else held.endpoints.push(endpoint);
  }
  // CTL-042: a Service without endpoints has one slice that says so.
  if (wanted.size === 0) wanted.set("", { ports: [], endpoints: [] });
  return wanted;
}

/** Which slices a Service should have, as the changes from those it has. Deciding again after they are applied gives none. */
export function decideSlices(input: SliceInput): SliceChanges {
  const { service, triggerTime } = input;
  if (selectorOf(service) === undefined) return NO_CHANGES;
  const labels = labelsOf(service);
  const ours = input.existing.filter((slice) => isOurs(slice) && slice.metadata.deletionTimestamp === undefined);
  const stale = ours.filter((slice) => !isOwnedBy(slice, service));
  const owned = ours.filter((slice) => isOwnedBy(slice, service)).sort(byName);
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const families = familiesOf(service);
  const remove = owned.filter(({ addressType }) => !families.some((family) => family === addressType));

  const newSlice = (addressType: IPFamily, ports: EndpointPort[], endpoints: Endpoint[]): EndpointSlice => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: generateNameOf(service),
      namespace: service.metadata.namespace,
      labels,
      ...(triggerTime === undefined ? {} : { annotations: withTriggerTime({}, triggerTime) }),
      ownerReferences: [ownerOf(service)],
    },
    addressType,
    ports,
    endpoints,
  });
  const rewritten = (slice: EndpointSlice, ports: EndpointPort[], endpoints: Endpoint[]): EndpointSlice => ({
    ...slice,
    metadata: { ...slice.metadata, labels, annotations: withTriggerTime(slice.metadata.annotations, triggerTime) },
    ports,
    endpoints,
  });

  for (const family of families) {
    const here = owned.filter(({ addressType }) => addressType === family);
    const wanted = wantedOf(input, family);
    const spare: EndpointSlice[] = here.filter(({ ports }) => !wanted.has(portsKey(ports)));
    const missing: { ports: EndpointPort[]; endpoints: Endpoint[] }[] = [];
    for (const [key, { ports, endpoints }] of wanted) {
      const packing = pack(
        endpoints,
        here.filter((slice) => portsKey(slice.ports) === key),
        input.most ?? 100,
      );
      for (const { slice, endpoints: next, changed } of packing.kept) {
        if (changed || !sameLabels(slice.metadata.labels, labels)) update.push(rewritten(slice, ports, next));
      }
      for (const next of packing.created) missing.push({ ports, endpoints: next });
      const [placeholder, ...others] = packing.emptied;
      if (endpoints.length > 0) spare.push(...packing.emptied);
      else if (placeholder === undefined) missing.push({ ports, endpoints: [] });
      else {
        // CTL-042: the placeholder is kept as it is when it is one already.
        spare.push(...others);
        const said = (placeholder.endpoints ?? []).length === 0 && sameLabels(placeholder.metadata.labels, labels);
        if (!said) update.push(rewritten(placeholder, ports, []));
      }
    }
    // CTL-047: a slice that is no longer needed becomes one that is; its address type, which cannot change, fits.
    for (const { ports, endpoints } of missing) {
      const recycled = spare.shift();
      if (recycled !== undefined) update.push(rewritten(recycled, ports, endpoints));
      // CTL-049: a Service that is on its way out gets no new slices.
      else if (service.metadata.deletionTimestamp === undefined) create.push(newSlice(family, ports, endpoints));
    }
    remove.push(...spare);
  }
  return { stale, create, update, delete: remove };
}

const byName = (a: EndpointSlice, b: EndpointSlice): number =>
  (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
