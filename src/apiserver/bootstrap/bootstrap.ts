import { randomUUID } from "node:crypto";
import { timestamp, type Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Store } from "../../store/store.ts";
import { readRanges, storeReader, type ClaimReader } from "../claims/reader.ts";
import { serviceClaims } from "../claims/service-claims.ts";
import type { NodePortRange } from "../claims/plan-node-ports.ts";
import { draftLease } from "../instances/leases.ts";
import { Draft, fromStore } from "./draft.ts";
import type { Advertised } from "./objects.ts";
import { draftPolicy } from "./policy.ts";
import { contradiction, kubernetesAddress, readServiceRanges } from "./ranges.ts";
import { draftEndpoints, draftNamespaces, draftService, draftServiceCIDR } from "./well-known.ts";

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
  const { store, clock, advertise, serviceRanges, nodePortRange } = options;
  const [primary] = readServiceRanges(serviceRanges);
  const uid = options.uid ?? randomUUID;
  const now = timestamp(clock.now());
  const draft = new Draft(fromStore(store), now, uid);
  await draftNamespaces(draft);
  const { object, comparison } = await draftServiceCIDR(draft, serviceRanges, now);
  if (comparison === "inconsistent") throw contradiction(object, serviceRanges);
  // The ServiceCIDR of this very transaction is not stored yet, and decides all the same.
  const reader: ClaimReader = { ...stored, ranges: async () => readRanges([{ object, condition: undefined }]) };
  const claims = serviceClaims({ reader, nodePortRange, clock, uid });
  const clusterIP = kubernetesAddress(primary!);
  await draftService(draft, { reader, claims, advertise, clusterIP, corrects: true });
  const others = await draftLease(draft, store, advertise.ip);
  await draftEndpoints(draft, [...others, advertise.ip].sort(), advertise.port, true);
  await draftPolicy(draft);
  return draft;
}

/**
 * Makes sure of what every cluster has: four namespaces, the default ServiceCIDR, Service, Endpoints and EndpointSlice of
 * the API server itself, and the roles that clients count on. One transaction, and none when nothing is missing. Runs before the API server reads the store.
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
