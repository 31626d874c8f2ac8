import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Pod, Service } from "../api/generated/types.ts";
import { keyOf } from "../api/object.ts";
import { pods as podsResource, services as servicesResource } from "../api/resources.ts";
import { createCache } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import { createEventRecorder } from "../client/events.ts";
import type { Host } from "../host/host.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import { addressPool } from "./addresses/pool.ts";
import { proxiesKnow } from "./ending/proxies-know.ts";
import { exceededLimits } from "./network-files/check-limits.ts";
import { hostResolver, RESOLV_CONF } from "./network-files/host-resolver.ts";
import type { PodContext } from "./pods/context.ts";
import { inTurn } from "./pods/in-turn.ts";
import { nodeObject } from "./pods/node-object.ts";
import { objectData } from "./pods/object-data.ts";
import { objectWatches } from "./pods/object-watches.ts";
import { podSource, type PodSource } from "./pods/pod-source.ts";
import { startPodWorker, type PodWorker } from "./pods/pod-worker.ts";
import { endByRecord } from "./pods/remove-pod.ts";
import { machineFacts } from "./registration/machine-facts.ts";
import { keepRegistered } from "./registration/register.ts";
import { chooseRuntimes } from "./runtimes/choose.ts";
import { processRuntime } from "./runtimes/process/process-runtime.ts";
import { simulatedRuntime } from "./runtimes/simulated/simulated-runtime.ts";
import { soleUser } from "./runtimes/process/user.ts";
import { hostNetwork } from "./sandbox/host-network.ts";
import { ownNetwork } from "./sandbox/own-network.ts";
import { sharedNetwork } from "./sandbox/shared-network.ts";
import { podRecords } from "./state/pod-record.ts";
import { volumeKeeper } from "./volumes/keeper.ts";
import { memoryVolumes } from "./volumes/memory-volumes.ts";

/** The runtimes that every node has. */
export type RuntimeName = "process" | "simulated";

export interface NodeOptions {
  readonly client: Client;
  readonly host: Host;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly nodeName: string;
  /** InternalIPs, IPv4 first. */
  readonly nodeAddresses: readonly string[];
  /** One range per family, the primary first. */
  readonly podRanges: readonly string[];
  /** The addresses that pods route through, one per family, on an interface of the node with forwarding on. */
  readonly gateways: readonly string[];
  /** Where the node keeps its state, logs and volumes. */
  readonly directory: string;
  /** Directories that no pod may see. */
  readonly hidden: readonly string[];
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** We are root only in a user namespace of our own. */
  readonly rootless: boolean;
  /** The runtime of pods that name none with `runtimeClassName`. */
  readonly runtime: RuntimeName;
  /** Pods may ask for the host's network, files and root (`--allow-host-access`). */
  readonly allowHostAccess?: boolean;
  /** The resolv.conf that pods' own is made from; `""` for none (DNS-112). Absent: the host's. */
  readonly resolvConf?: string;
  /** The Node program that pods find in their PATH. */
  readonly nodeBinary: string;
  /** Resource name → quantity, as the Node tells it. */
  readonly capacity: Readonly<Record<string, string>>;
  /** What the Node says of us, e.g. `v1.36.2+fairlead.0`. */
  readonly version: string;
}

export interface NodePart extends Part {
  readonly source: PodSource;
  /**
   * To be called once, when Services are carried: tries whether somebody's firewall drops what pods send, and tells of it in the log and
   * by an event on the Node. `onDropped` hears the same sentences, and none once it passes.
   */
  tryTraffic(onDropped: (sentences: readonly string[]) => void): void;
  /** Ends all pods, and takes away every namespace, link and file that was made for them. The part must not be used after it. */
  removeAll(): Promise<void>;
}

/** Pods set up at a time: those that come together have their networks made together. */
const SETUPS = 24;
/** Pods without programs ended at a time, when all are. */
const ENDS = 500;
/** Containers started at a time: more would only wait for a core, and all would be late. */
const STARTS = 12;

/**
 * Runs the pods that are bound to this node. Resolves when it is ready to start pods; what ran before is adopted as
 * soon as the API has been listed. Throws when a tool is missing.
 */
export async function startNode(options: NodeOptions): Promise<NodePart> {
  const { client, clock, random, host, log } = options;
  const at = (...path: string[]): string => join(options.directory, ...path);
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const records = podRecords(at("state"));
  const known = new Map((await records.load()).map((record) => [record.uid, record]));
  const pool = addressPool(options.podRanges, [...options.gateways, ...options.nodeAddresses]);
  const networks = {
    own: ownNetwork(host, pool, options.gateways),
    host: hostNetwork(options.nodeAddresses),
    shared: sharedNetwork(host, pool, options.podRanges),
  };
  for (const { sandbox } of known.values()) networks[sandbox.network].hold(sandbox);

  const { nodeBinary } = options;
  const allowHostAccess = options.allowHostAccess === true;
  const resolvConf = options.resolvConf ?? RESOLV_CONF;
  const programs = processRuntime({
    host,
    log,
    scratch: at("view"),
    hidden: [...new Set([...options.hidden, options.directory])],
    nodeBinary,
    rootless: options.rootless,
    allowHostAccess,
    cgroup: options.directory,
    memory: options.capacity["memory"] ?? "0",
  });
  const runtimes = [programs, simulatedRuntime({ host, clock, log, nodeBinary })];
  const prepared = Promise.all(runtimes.map((runtime) => runtime.prepare()));
  const closeRuntimes = (): Promise<unknown> => Promise.all(runtimes.map((runtime) => runtime.close()));
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve()));
  const events = createEventRecorder({ client, component: "kubelet", host: options.nodeName, clock, log });
  const watched = { client, clock, random, log };
  const services = createCache<Service>({ ...watched, resource: servicesResource });
  const pods = createCache<Pod>({
    ...watched,
    resource: podsResource,
    fieldSelector: `spec.nodeName=${options.nodeName}`,
  });

  const know = proxiesKnow({ ...watched, nodeName: options.nodeName, services: () => services.values() });

  const objects = objectWatches(watched);
  const memory = memoryVolumes(options.directory);
  const lookups = objectData(client);
  const volumes = volumeKeeper({
    client,
    clock,
    log,
    lookups,
    watches: objects,
    directory: (uid) => at("volumes", uid),
    memory,
    claims: at("claims"),
    allowHostAccess,
    userOf: soleUser,
  });
  const context: PodContext = {
    client,
    host,
    clock,
    random,
    log,
    events,
    runtimes: chooseRuntimes(runtimes, options.runtime),
    records,
    ready: Promise.all([prepared, services.synced()]).then(() => undefined),
    inTurn: inTurn(SETUPS),
    startInTurn: inTurn(STARTS),
    proxiesKnow: know,
    lookups,
    volumes,
    services: () => services.values(),
    nodeName: options.nodeName,
    nodeAddresses: options.nodeAddresses,
    hostname: hostname(),
    allocatable: options.capacity,
    networks,
    files: {
      pod: (uid) => at("pods", uid),
      volumes: (uid) => at("volumes", uid),
      logs: ({ namespace, name, uid }) => at("logs", `${namespace}_${name}_${uid}`),
    },
    clusterDNS: options.clusterDNS,
    clusterDomain: options.clusterDomain,
    resolver: () => hostResolver(resolvConf),
  };
  // Whoever waits hears of the failure; when nobody does yet, `await prepared` below tells it.
  context.ready.catch(() => {});

  const workers = new Map<string, PodWorker>();
  const begin = (pod: Pod): void => {
    const uid = pod.metadata.uid ?? "";
    const worker = startPodWorker(context, pod, known.get(uid));
    known.delete(uid);
    workers.set(uid, worker);
    void worker.done.then(() => workers.delete(uid));
  };
  pods.onChange((change) => {
    const uid = change.type === "removed" ? undefined : change.object.metadata.uid;
    const previous = change.type === "added" ? undefined : change.previous.metadata.uid;
    if (previous !== undefined && previous !== uid) workers.get(previous)?.gone();
    if (change.type === "removed") return;
    const worker = workers.get(uid ?? "");
    volumes.update(change.object);
    if (worker === undefined) begin(change.object);
    else worker.update(change.object);
  });
  const endOrphans = async (): Promise<void> => {
    await Promise.race([Promise.all([pods.synced(), prepared]), stopped]);
    // Without a list from the API nobody can say which pods were deleted.
    if (stopping.signal.aborted) return;
    const orphans = [...known.values()];
    known.clear();
    for (const record of orphans) {
      log.info(
        { namespace: record.namespace, pod: record.name },
        "a pod was deleted while the node was away: ending it",
      );
      await endByRecord(context, record);
    }
  };
  const orphansEnded = endOrphans().catch((error: unknown) => log.error({ error }, "ending old pods failed"));

  try {
    await prepared;
  } catch (error) {
    pods.stop();
    services.stop();
    know.stop();
    events.stop();
    throw error;
  }
  const limits = programs.limits();
  const facts = { ...options, ...(await machineFacts()), limits };
  const node = nodeObject(options.nodeName);
  if (limits !== undefined) events.event(node, "Warning", "LimitsNotEnforced", limits);
  const resolver = await hostResolver(resolvConf);
  const exceeded = resolver && exceededLimits(resolver, resolvConf, options.clusterDomain);
  if (exceeded !== undefined) events.event(node, "Warning", "CheckLimitsForResolvConf", exceeded);
  const registered = keepRegistered({ client, clock, random, log, events, facts }, stopping.signal);

  let tryingTraffic: Promise<void> | undefined;
  const leave = async (): Promise<void> => {
    stopping.abort();
    pods.stop();
    services.stop();
    know.stop();
    await tryingTraffic;
    await Promise.all([...workers.values()].map((worker) => worker.leave()));
    await volumes.stop();
    objects.stop();
    await registered;
    await events.flush();
    events.stop();
  };
  return {
    source: podSource(context, (namespace, name) => {
      const pod = pods.get(keyOf({ metadata: { namespace, name } }));
      const worker = workers.get(pod?.metadata.uid ?? "");
      return pod === undefined || worker === undefined ? undefined : { pod, worker };
    }),
    tryTraffic(onDropped) {
      // Loaded now: the start has no need of it.
      tryingTraffic ??= import("./traffic/traffic.ts").then(({ watchPodTraffic }) =>
        watchPodTraffic(context, onDropped, stopping.signal),
      );
    },
    async stop() {
      await leave();
      await closeRuntimes();
    },
    async removeAll() {
      await leave();
      await orphansEnded;
      // What was never listed from the API is known by its record alone.
      const left = await records.load();
      // Ending a program costs the machine something; where there is none, each only waits for its turn.
      const many = inTurn(ENDS);
      await Promise.all(
        left.map((record) => {
          const turn = record.sandbox.network === "shared" ? many : context.inTurn;
          return turn(() => endByRecord(context, record));
        }),
      );
      await memory.close();
      await closeRuntimes();
    },
  };
}
