import type { Endpoint, Node, Pod, Service } from "../../api/generated/types.ts";
import type { IPFamily } from "../../net/ip.ts";
import { hasAddress, hostnameOf, podAddresses } from "../pods/addresses.ts";
import { isFinished, isReady, isTerminating } from "../pods/ready.ts";
import { distributionOf } from "./topology/mode.ts";
import { zoneOf } from "./topology/zones.ts";

/** CTL-004: whether the pod is an endpoint at all. */
export function isEndpoint(pod: Pod, service: Service, node: Node | undefined): boolean {
  if (isFinished(pod) || !hasAddress(pod)) return false;
  const onUnknownNode = pod.spec?.nodeName !== undefined && node === undefined;
  return !onUnknownNode || service.spec?.publishNotReadyAddresses === true;
}

/** One pod as an endpoint of one family; undefined when it has no address of it (CTL-023). */
export function endpointOf(pod: Pod, service: Service, node: Node | undefined, family: IPFamily): Endpoint | undefined {
  const addresses = podAddresses(pod, family);
  if (addresses.length === 0) return undefined;
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameOf(pod, service);
  const zone = zoneOf(node);
  const nodeName = pod.spec?.nodeName;
  const hints = ready ? hintsOf(service, zone, nodeName) : undefined;
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    targetRef: {
      kind: "Pod",
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    },
    ...(hints === undefined ? {} : { hints }),
  };
}

/** CTL-078 to CTL-082: where a ready endpoint is best used from, by the Service's traffic distribution. */
function hintsOf(service: Service, zone: string | undefined, nodeName: string | undefined): Endpoint["hints"] {
  const distribution = distributionOf(service);
  if (distribution === undefined) return undefined;
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  const forNodes =
    distribution === "PreferSameNode" && nodeName !== undefined ? { forNodes: [{ name: nodeName }] } : {};
  const hints = { ...forZones, ...forNodes };
  return Object.keys(hints).length === 0 ? undefined : hints;
}

/** Two endpoints with the same identity are the same worker at the same address: one replaces the other. */
export const identityOf = (endpoint: Endpoint): string =>
  `${endpoint.targetRef?.uid ?? ""} ${endpoint.addresses.join()}`;

const contentOf = (endpoint: Endpoint): string => {
  const { addresses, conditions, hostname, nodeName, zone, targetRef, hints, deprecatedTopology } = endpoint;
  return JSON.stringify([
    addresses,
    [conditions?.ready, conditions?.serving, conditions?.terminating],
    hostname,
    nodeName,
    zone,
    [
      targetRef?.kind,
      targetRef?.namespace,
      targetRef?.name,
      targetRef?.uid,
      targetRef?.apiVersion,
      targetRef?.fieldPath,
    ],
    hints?.forZones?.map(({ name }) => name),
    hints?.forNodes?.map(({ name }) => name),
    deprecatedTopology,
  ]);
};

export const sameEndpoint = (a: Endpoint, b: Endpoint): boolean => contentOf(a) === contentOf(b);
