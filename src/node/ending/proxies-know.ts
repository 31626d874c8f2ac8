import type { EndpointSlice, Lease, Pod, Service } from "../../api/generated/types.ts";
import { endpointSlices, leases } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import type { Cache } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { leadsTo, selectsPod, standingOf } from "./standing.ts";

/** Waits until no proxy of this node leads new connections to a pod that is ending. */
export interface ProxiesKnow {
  /** Resolves when they know, when there is nothing to know, or after {@link PATIENCE}. Never rejects. */
  (pod: Pod, signal: AbortSignal): Promise<void>;
  /** Resolves when the proxy's word has been read, if there is one. */
  synced(): Promise<void>;
  stop(): void;
}

/** How long a pod's end is held back at most, in milliseconds. It is part of the grace period. */
export const PATIENCE = 1_000;

const NAMESPACE = "kube-node-lease";
const APPLIED = "fairlead.dev/applied-endpointslices";

export interface ProxiesKnowOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly nodeName: string;
  readonly services: () => Iterable<Service>;
}

/**
 * A pod that is deleted is still called until the kernel's rules leave it out. kubelet and kube-proxy know nothing of each other, so
 * people put `sleep 10` into preStop (CTL-118). Here the proxy tells in its Lease which changes it has applied, and SIGTERM waits for
 * the one that took the pod out. Where no proxy tells it, as in a foreign cluster, nothing waits.
 */
export function proxiesKnow(options: ProxiesKnowOptions): ProxiesKnow {
  const { client, clock, random, log, nodeName } = options;
  const cache = createCache<Lease>({
    client,
    resource: leases,
    namespace: NAMESPACE,
    fieldSelector: `metadata.name=proxy-${nodeName}`,
    clock,
    random,
    log,
  });

  const wait = async (pod: Pod, signal: AbortSignal): Promise<void> => {
    if (!cache.hasSynced || appliedOf(cache, nodeName) === undefined) return;
    const names = [...options.services()]
      .filter((service) => selectsPod(service, pod))
      .map(({ metadata }) => metadata.name ?? "");
    if (names.length === 0) return;
    const version = await whenTold(client, pod, names, signal);
    if (version !== undefined) await whenApplied(cache, nodeName, version, signal);
  };
  const know = async (pod: Pod, ending: AbortSignal): Promise<void> => {
    const patience = new AbortController();
    const cancel = clock.after(PATIENCE, () => patience.abort());
    const signal = AbortSignal.any([ending, patience.signal]);
    try {
      await wait(pod, signal);
    } catch (error) {
      if (!signal.aborted)
        log.info({ error: (error as Error).message }, "whether proxies know of a pod's end is not known");
    } finally {
      cancel();
    }
    if (patience.signal.aborted) {
      log.info({ namespace: pod.metadata.namespace, pod: pod.metadata.name }, "proxies did not take a pod out in time");
    }
  };
  return Object.assign(know, { synced: () => cache.synced(), stop: () => cache.stop() });
}

const appliedOf = (cache: Cache<Lease>, nodeName: string): string | undefined =>
  cache.get(`${NAMESPACE}/proxy-${nodeName}`)?.metadata.annotations?.[APPLIED];

/** The version at which the last slice says that the pod is ending; undefined when no slice leads to it. */
async function whenTold(
  client: Client,
  pod: Pod,
  services: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const uid = pod.metadata.uid ?? "";
  const scope = {
    namespace: pod.metadata.namespace ?? "",
    labelSelector: `kubernetes.io/service-name in (${services.join(",")})`,
  };
  const list = await client.list<EndpointSlice>(endpointSlices, scope, signal);
  const slices = new Map(list.items.map((slice) => [slice.metadata.name ?? "", slice]));
  const told = standingOf(slices.values(), uid);
  if (told !== "leads") return told.version;
  const resourceVersion = list.metadata.resourceVersion ?? "";
  for await (const event of client.watch<EndpointSlice>(endpointSlices, { ...scope, resourceVersion }, signal)) {
    const { name = "", resourceVersion: version } = event.object.metadata;
    if (event.type === "BOOKMARK" || event.type === "ERROR") continue;
    if (event.type === "DELETED") slices.delete(name);
    else slices.set(name, event.object);
    if (![...slices.values()].some((slice) => leadsTo(slice, uid))) return version;
  }
  return undefined;
}

/** Resolves when the proxy has applied this version, or the signal comes. */
function whenApplied(cache: Cache<Lease>, nodeName: string, version: string, signal: AbortSignal): Promise<void> {
  const has = (): boolean => BigInt(appliedOf(cache, nodeName) ?? "0") >= BigInt(version);
  if (has()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = cache.onChange(() => {
      if (has()) done();
    });
    const done = (): void => {
      stop();
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
