import { randomUUID } from "node:crypto";
import type { Service } from "../../api/generated/types.ts";
import { endpoints } from "../../api/endpoints/endpoints.ts";
import { endpointSlice } from "../../api/endpointSlice/endpointSlice.ts";
import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { namespace } from "../../api/namespace/namespace.ts";
import { service } from "../../api/service/service.ts";
import { serviceCIDR } from "../../api/serviceCIDR/serviceCIDR.ts";
import { timestamp, type Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Store } from "../../store/store.ts";
import { DEFAULT_SERVICE_CIDR, readRanges, storeReader, type ClaimReader } from "../claims/reader.ts";
import { serviceClaims } from "../claims/service-claims.ts";
import type { NodePortRange } from "../claims/plan-node-ports.ts";
import { Draft } from "./draft.ts";
import {
  endpointsObject,
  KUBERNETES,
  NAMESPACES,
  namespaceObject,
  serviceCIDRObject,
  serviceObject,
  sliceObject,
  withReady,
  type Advertised,
} from "./objects.ts";
import { kubernetesAddress, readServiceRanges, reconcileRanges } from "./ranges.ts";

export interface BootstrapOptions {
  readonly store: Store;
  /** `--service-cluster-ip-range`: the primary range first. */
  readonly serviceRanges: readonly string[];
  readonly nodePortRange: NodePortRange;
  readonly advertise: Advertised;
  readonly clock: Clock;
  readonly log: Log;
  readonly uid?: () => string;
}

const MAXIMUM_ATTEMPTS = 10;

/** The default ServiceCIDR as it shall be. */
async function draftServiceCIDR(draft: Draft, ranges: readonly string[], now: string) {
  const item = await draft.read(serviceCIDR, { name: DEFAULT_SERVICE_CIDR });
  if (item === undefined) {
    const object = withReady(draft.created(serviceCIDR, serviceCIDRObject(ranges)), now);
    draft.put(serviceCIDR, object, undefined);
    return object;
  }
  const isSame = reconcileRanges(item.object, ranges) === "same";
  const wanted = { ...item.object, spec: { ...item.object.spec, cidrs: [...ranges] } };
  const object = withReady(isSame ? item.object : draft.updated(serviceCIDR, wanted, item.object), now);
  draft.put(serviceCIDR, object, item);
  return object;
}

/** The Service of the API server with its address, claimed in the same transaction (SVC-280, SVC-281). */
async function draftService(
  draft: Draft,
  reader: ClaimReader,
  clusterIP: string,
  options: BootstrapOptions,
): Promise<void> {
  const wanted = serviceObject(clusterIP, options.advertise);
  const item = await draft.read<Service>(service, { namespace: "default", name: KUBERNETES });
  if (item !== undefined) {
    const spec = { ...item.object.spec, type: "ClusterIP", ports: wanted.spec!.ports };
    draft.put(service, draft.updated(service, { ...item.object, spec }, item.object), item);
    return;
  }
  const held = await reader.address(clusterIP);
  if (held !== undefined) {
    const by =
      held.holder === undefined ? "something else" : `the Service ${held.holder.namespace}/${held.holder.name}`;
    throw new Error(
      `creating the Service default/kubernetes: its address ${clusterIP} is held by ${by}. Give that another address, or free it with: kubectl delete ipaddress ${clusterIP}`,
    );
  }
  const object = draft.created(service, wanted);
  const claims = serviceClaims({
    reader,
    nodePortRange: options.nodePortRange,
    clock: options.clock,
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  });
  const claimed = await claims.claim({ kind: service, previous: undefined, next: object, dryRun: false });
  draft.put(service, claimed.object!, undefined);
  draft.conditions.push(...claimed.conditions);
  draft.operations.push(...claimed.operations);
}

async function draftEndpoints(draft: Draft, advertise: Advertised): Promise<void> {
  const ensure = async <T extends KubeObject>(kind: Kind<T>, wanted: T): Promise<void> => {
    const item = await draft.read(kind, { namespace: "default", name: KUBERNETES });
    // An EndpointSlice cannot change its family: another one takes its place (SVC-283).
    const family = (object: unknown): unknown => (object as { addressType?: unknown }).addressType;
    const isUsable = item !== undefined && family(item.object) === family(wanted);
    const { labels, ...rest } = item?.object.metadata ?? { labels: undefined };
    const metadata = { ...rest, ...wanted.metadata, labels: { ...labels, ...wanted.metadata.labels } };
    const object = isUsable ? draft.updated(kind, { ...wanted, metadata }, item.object) : draft.created(kind, wanted);
    draft.put(kind, object, item);
  };
  await ensure(endpoints, endpointsObject(advertise));
  await ensure(endpointSlice, sliceObject(advertise));
}

/** Ports that were claimed when the range was another one stay with their Services, as upstream; it is said, not refused. */
async function warnOfPorts(reader: ClaimReader, { nodePortRange, log }: BootstrapOptions): Promise<void> {
  const taken = [...(await reader.takenNodePorts())].map(Number);
  const outside = taken.filter((port) => port < nodePortRange.first || port > nodePortRange.last);
  if (outside.length === 0) return;
  log.warn(
    { ports: outside.slice(0, 10), count: outside.length, range: `${nodePortRange.first}-${nodePortRange.last}` },
    "Services hold node ports outside the node port range; they keep them",
  );
}

/** One transaction that makes what is missing. @throws Error as {@link bootstrap} */
async function draftAll(options: BootstrapOptions, stored: ClaimReader): Promise<Draft> {
  const { store, clock, advertise, serviceRanges } = options;
  const [primary] = readServiceRanges(serviceRanges);
  const now = timestamp(clock.now());
  const draft = new Draft(store, now, options.uid ?? randomUUID);
  for (const name of NAMESPACES) {
    const item = await draft.read(namespace, { name });
    if (item === undefined) draft.put(namespace, draft.created(namespace, namespaceObject(name)), undefined);
  }
  const cidr = await draftServiceCIDR(draft, serviceRanges, now);
  // The ServiceCIDR of this very transaction is not stored yet, and decides all the same.
  const reader: ClaimReader = { ...stored, ranges: async () => readRanges([cidr]) };
  await draftService(draft, reader, kubernetesAddress(primary!), options);
  await draftEndpoints(draft, advertise);
  return draft;
}

/**
 * Makes sure of what every cluster has: four namespaces, the default ServiceCIDR, and Service, Endpoints and EndpointSlice of
 * the API server itself. One transaction, and none when nothing is missing. Runs before the API server reads the store.
 *
 * @throws Error when the ranges contradict each other or what is stored, with what to do
 */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { store, log } = options;
  const stored = storeReader(store);
  for (let attempt = 1; attempt <= MAXIMUM_ATTEMPTS; attempt++) {
    const began = await store.revision();
    let draft: Draft;
    try {
      draft = await draftAll(options, stored);
    } catch (error) {
      // Another server that makes the same at the same moment looks like a contradiction half-way.
      if (attempt < MAXIMUM_ATTEMPTS && (await store.revision()) > began) continue;
      throw error;
    }
    if (draft.operations.length === 0) return warnOfPorts(stored, options);
    const result = await store.write(draft.conditions, draft.operations);
    if (result.ok) {
      log.info({ objects: draft.operations.length, revision: result.revision }, "made what every cluster has");
      return warnOfPorts(stored, options);
    }
  }
  throw new Error(`making what every cluster has: other writers came first ${MAXIMUM_ATTEMPTS} times`);
}
