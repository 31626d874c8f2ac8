import type { Endpoints, EndpointSlice, Service, ServiceCIDR } from "../../api/generated/types.ts";
import { endpoints } from "../../api/endpoints/endpoints.ts";
import { endpointSlice } from "../../api/endpointSlice/endpointSlice.ts";
import { namespace } from "../../api/namespace/namespace.ts";
import { service } from "../../api/service/service.ts";
import { serviceCIDR } from "../../api/serviceCIDR/serviceCIDR.ts";
import type { Item } from "../cache/item.ts";
import type { Claims } from "../claims/claims.ts";
import { DEFAULT_SERVICE_CIDR, type ClaimReader } from "../claims/reader.ts";
import type { Draft } from "./draft.ts";
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
import { compareRanges } from "./ranges.ts";

export async function draftNamespaces(draft: Draft): Promise<void> {
  for (const name of NAMESPACES) {
    const item = await draft.read(namespace, { name });
    if (item === undefined) draft.put(namespace, draft.created(namespace, namespaceObject(name)), undefined);
  }
}

/** The default ServiceCIDR as it is, and as it shall be. */
export interface DraftedServiceCIDR {
  readonly found: ServiceCIDR | undefined;
  readonly object: ServiceCIDR;
  readonly comparison: ReturnType<typeof compareRanges> | "missing";
}

/**
 * The default ServiceCIDR: made when it is missing, given its second range, and said to be ready (SVC-271, SVC-272). One that says
 * something else than was asked for, or is being deleted, is left alone.
 */
export async function draftServiceCIDR(
  draft: Draft,
  ranges: readonly string[],
  now: string,
): Promise<DraftedServiceCIDR> {
  const item = await draft.read(serviceCIDR, { name: DEFAULT_SERVICE_CIDR });
  if (item === undefined) {
    const object = withReady(draft.created(serviceCIDR, serviceCIDRObject(ranges)), now);
    draft.put(serviceCIDR, object, undefined);
    return { found: undefined, object, comparison: "missing" };
  }
  const found = item.object;
  const comparison = compareRanges(found, ranges);
  if (comparison === "inconsistent") return { found, object: found, comparison };
  const wanted = { ...found, spec: { ...found.spec, cidrs: [...ranges] } };
  const next = comparison === "same" ? found : draft.updated(serviceCIDR, wanted, found);
  const object = found.metadata.deletionTimestamp === undefined ? withReady(next, now) : next;
  draft.put(serviceCIDR, object, item);
  return { found, object, comparison };
}

/** What the Service of the API server is made from. */
export interface ServiceSources {
  readonly reader: Pick<ClaimReader, "address">;
  readonly claims: Claims;
  readonly advertise: Advertised;
  readonly clusterIP: string;
  /** Whether ports and type of a Service that is there are put right: done at a start only (SVC-281). */
  readonly corrects: boolean;
}

/** The Service, and beside it the addresses and node ports that it takes or gives back. */
async function putClaimed(draft: Draft, claims: Claims, next: Service, item: Item | undefined): Promise<void> {
  const claimed = await claims.claim({ kind: service, previous: item?.object, next, dryRun: false });
  draft.put(service, claimed.object as Service, item);
  draft.conditions.push(...claimed.conditions);
  draft.operations.push(...claimed.operations);
}

/**
 * The Service of the API server with its address, claimed in the same transaction (SVC-280, SVC-281).
 *
 * @throws Error when its address is held by somebody else, with what to do
 */
export async function draftService(draft: Draft, sources: ServiceSources): Promise<void> {
  const { reader, claims, advertise, clusterIP, corrects } = sources;
  const wanted = serviceObject(clusterIP, advertise);
  const item = await draft.read<Service>(service, { namespace: "default", name: KUBERNETES });
  if (item !== undefined) {
    if (!corrects) return;
    const spec = { ...item.object.spec, type: wanted.spec!.type, ports: wanted.spec!.ports };
    const next = draft.updated(service, { ...item.object, spec }, item.object);
    await putClaimed(draft, claims, next, item);
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
  await putClaimed(draft, claims, draft.created(service, wanted), undefined);
}

/** The subsets that the Endpoints shall have: who changes ports is let alone while the rest is in order, as upstream. */
function subsetsOf(found: Endpoints, wanted: Endpoints, corrects: boolean): Endpoints["subsets"] {
  const [subset, ...more] = found.subsets ?? [];
  if (subset === undefined || more.length > 0 || corrects || wanted.subsets === undefined) return wanted.subsets;
  const isOrdered = (subset.notReadyAddresses ?? []).length === 0 && (subset.ports ?? []).length > 0;
  return isOrdered ? [{ ...wanted.subsets[0], ports: subset.ports }] : wanted.subsets;
}

/**
 * Endpoints and EndpointSlice that list the API servers' addresses (SVC-282, SVC-283); none at all when the last one is going.
 * `corrects`: ports that somebody changed are put right too.
 */
export async function draftEndpoints(
  draft: Draft,
  ips: readonly string[],
  port: number,
  corrects: boolean,
): Promise<void> {
  const at = { namespace: "default", name: KUBERNETES };
  const wanted = endpointsObject(ips, port);
  const item = await draft.read<Endpoints>(endpoints, at);
  let object = wanted;
  if (item === undefined) object = draft.created(endpoints, wanted);
  else {
    const { subsets: _, ...rest } = item.object;
    const subsets = subsetsOf(item.object, wanted, corrects);
    const labels = { ...rest.metadata.labels, ...wanted.metadata.labels };
    const next = { ...rest, metadata: { ...rest.metadata, labels }, ...(subsets === undefined ? {} : { subsets }) };
    object = draft.updated(endpoints, next, item.object);
  }
  draft.put(endpoints, object, item);

  const slice = sliceObject(object);
  const found = await draft.read<EndpointSlice>(endpointSlice, at);
  // A slice cannot change its family: another one takes its place.
  const isUsable = found !== undefined && found.object.addressType === slice.addressType;
  const labels = { ...found?.object.metadata.labels, ...slice.metadata.labels };
  const next = isUsable
    ? draft.updated(endpointSlice, { ...slice, metadata: { ...found.object.metadata, labels } }, found.object)
    : draft.created(endpointSlice, slice);
  draft.put(endpointSlice, next, found);
}
