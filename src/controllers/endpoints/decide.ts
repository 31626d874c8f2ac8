import type { CoreEndpointPort, EndpointAddress, Endpoints, Pod, Service } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import { familiesOf, hostnameOf, isHeadless, podAddresses, selectorOf } from "../pods/addresses.ts";
import { endpointPortsOf } from "../pods/ports.ts";
import { sameLabels } from "../pods/labels.ts";
import { isFinished, isReady, isTerminating } from "../pods/ready.ts";
import type { Offer } from "./repack.ts";
import { offer, repack } from "./repack.ts";
import { sameSubsets } from "./same.ts";
import { truncate } from "./truncate.ts";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const CONTROLLER = "endpoint-controller";
const HEADLESS = "service.kubernetes.io/headless";
const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";
const MOST_ADDRESSES = 1000;

export interface EndpointsInput {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly existing: Endpoints | undefined;
  readonly triggerTime?: string | undefined;
}

export type EndpointsChange =
  | { readonly action: "none" }
  | { readonly action: "create" | "update"; readonly endpoints: Endpoints };

/** The pod as an address of the Service's; undefined when it is none. */
function offerOf(service: Service, family: IPFamily, pod: Pod): Offer | undefined {
  const anyway = service.spec?.publishNotReadyAddresses === true;
  // CTL-004, CTL-005: unlike in slices, a pod that is ending is gone from here at once.
  if (isFinished(pod) || (isTerminating(pod) && !anyway)) return undefined;
  const ip = podAddresses(pod, family)[0];
  if (ip === undefined) return undefined;
  const hostname = hostnameOf(pod, service);
  const address: EndpointAddress = {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  };
  const ports = endpointPortsOf(service, pod).map(({ name, port = 0, protocol, appProtocol }): CoreEndpointPort => ({
    ...(name === undefined || name === "" ? {} : { name }),
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
  // CTL-062: only a headless Service may have no ports; a pod that has none of its Service's is no address here.
  const isPortless = ports.length === 0 && (!isHeadless(service) || (service.spec?.ports ?? []).length > 0);
  return isPortless ? undefined : offer(address, ports, anyway || isReady(pod));
}

/** From so many pods on, what is made of each is kept. */
const MANY = 100;
/** What each pod offers a Service. Neither is ever changed, only replaced; so what was made of them holds as long as both do. */
const offers = new WeakMap<Service, WeakMap<Pod, Offer | null>>();

function offersOf(service: Service, pods: readonly Pod[]): Offer[] {
  // CTL-056: the primary family alone.
  const family = familiesOf(service)[0] ?? "IPv4";
  if (pods.length < MANY) return pods.flatMap((pod) => offerOf(service, family, pod) ?? []);
  let known = offers.get(service);
  if (known === undefined) offers.set(service, (known = new WeakMap()));
  const found: Offer[] = [];
  for (const pod of pods) {
    let its = known.get(pod);
    if (its === undefined) known.set(pod, (its = offerOf(service, family, pod) ?? null));
    if (its !== null) found.push(its);
  }
  return found;
}

/** The legacy Endpoints object of a Service with a selector (CTL-056 to CTL-064). */
export function decideEndpoints(input: EndpointsInput): EndpointsChange {
  const { service, pods, existing, triggerTime } = input;
  if (selectorOf(service) === undefined) return { action: "none" };
  const { subsets, cut } = truncate(repack(offersOf(service, pods)), MOST_ADDRESSES);
  const labels: Record<string, string> = { ...service.metadata.labels, [MANAGED_BY]: CONTROLLER };
  delete labels[HEADLESS];
  if (isHeadless(service)) labels[HEADLESS] = "";

  const held = existing?.metadata.annotations ?? {};
  const annotations: Record<string, string> = { ...held };
  delete annotations[TRIGGER_TIME];
  delete annotations[OVER_CAPACITY];
  if (triggerTime !== undefined) annotations[TRIGGER_TIME] = triggerTime;
  if (cut) annotations[OVER_CAPACITY] = "truncated";
  // CTL-063: the time alone is no reason to write.
  const same =
    existing !== undefined &&
    sameSubsets(existing.subsets ?? [], subsets) &&
    sameLabels(existing.metadata.labels, labels) &&
    held[OVER_CAPACITY] === annotations[OVER_CAPACITY];
  if (same) return { action: "none" };
  const { name, namespace } = service.metadata;
  const metadata = existing === undefined ? { name, namespace } : existing.metadata;
  const endpoints: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      ...metadata,
      labels,
      ...(Object.keys(annotations).length === 0 ? { annotations: undefined } : { annotations }),
    },
    ...(subsets.length === 0 ? {} : { subsets: [...subsets] }),
  };
  return { action: existing === undefined ? "create" : "update", endpoints };
}
