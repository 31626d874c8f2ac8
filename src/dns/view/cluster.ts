import type { EndpointSlice, Pod, Service } from "../../api/generated/types.ts";
import { parseLabelSelector } from "../../api/selector/labelSelector.ts";
import { ageOf } from "../../client/age.ts";
import type { Cache } from "../../client/cached.ts";
import type { Clients } from "../clients/clients.ts";
import { BY_ADDRESS, podClients } from "../clients/pod-clients.ts";
import type { KubernetesOptions } from "../configuration/configuration.ts";
import { clusterSource } from "../names/cluster.ts";
import { createContents, type Contents, type PodAddresses } from "../names/contents.ts";
import { isReverseZone } from "../names/name.ts";
import { nameServersIn } from "../names/name-servers.ts";
import type { Source } from "../names/source.ts";
import { createZones } from "../names/zone.ts";
import { follow } from "./follow.ts";
import { createView, watchPods, type View, type Watching } from "./view.ts";

/** The search lists of the pods that ask, and where the pods are. */
export interface SearchOptions {
  /** The search list of the nodes' own resolvers; undefined: not known, so that no pod's list is. */
  readonly hostSearches: readonly string[] | undefined;
  /** Only pods of this node ask here; undefined: any node's. */
  readonly nodeName?: string | undefined;
  /** False while what is seen of pods may be behind; absent: while nothing has been heard of them for 30 seconds. */
  readonly fresh?: () => boolean;
}

export interface ClusterOptions extends Watching {
  /** All that are to be answered from. */
  readonly blocks: readonly KubernetesOptions[];
  readonly search?: SearchOptions;
  /** The cluster is told by us where its DNS is, so that Service and its slices must be seen. */
  readonly registers: boolean;
  changed(words: readonly string[]): void;
}

/** What a block's names need beside what it is configured with. */
export interface SourceOptions {
  /** Somebody upstream may know a name that is not here. */
  readonly hasOutside: boolean;
  /** The addresses of `ns.dns.ZONE`, where they are known. */
  readonly nameServers: readonly string[] | undefined;
  /** Where this server answers. */
  readonly own: readonly string[];
}

/** The cluster as a server's blocks see it: watched once for all of them, as far as any of them needs it. */
export interface Cluster {
  source(block: KubernetesOptions, options: SourceOptions): Source;
  /** Absent where nobody asked for it: then no pods are watched. */
  readonly clients?: Clients;
  /** Absent where there are no blocks to answer from. */
  readonly services?: Cache<Service>;
  readonly slices?: Cache<EndpointSlice>;
  /** Of all zones (DNS-059). */
  readonly serial: number;
  /** Seconds since all of this was last known to be current; undefined before it has been listed, or when nothing is. */
  age(): number | undefined;
  /** Resolves when everything has been listed once: from then on names are answered. */
  synced(): Promise<void>;
  stop(): void;
}

/** Seconds after which pods are not known for certain any more: their addresses may be others' by now. */
const KNOWN_FOR_CERTAIN = 30;

const verifies = ({ pods }: KubernetesOptions): boolean => pods === "verified";
const primaryOf = ({ zones }: KubernetesOptions): string => zones.find((zone) => !isReverseZone(zone.split("."))) ?? "";

/** Starts listing and watching at once. */
export function createCluster(options: ClusterOptions): Cluster {
  const { blocks, search, clock, log } = options;
  // Services are chosen by label at the API server, so blocks that choose differently see different ones.
  const views = new Map<string | undefined, View>();
  const groups = Map.groupBy(blocks, ({ labels }) => labels);
  if (options.registers && !groups.has(undefined)) groups.set(undefined, []);
  for (const [labels, group] of groups) {
    const slices = group.some(({ noEndpoints }) => !noEndpoints) || (labels === undefined && options.registers);
    views.set(
      labels,
      createView(options, {
        ...(labels === undefined ? {} : { labels }),
        slices,
        podNames: group.some(({ endpointPodNames }) => endpointPodNames),
        zones: group.some(({ zonal }) => zonal),
        pods: group.some(verifies),
      }),
    );
  }
  const first = views.get(undefined) ?? [...views.values()][0];

  let own: Cache<Pod> | undefined;
  let clients: Clients | undefined;
  if (search !== undefined && blocks.length > 0) {
    // Another node's pods may have other search lists.
    const seen = search.nodeName === undefined ? views.get(undefined)?.pods : undefined;
    if (seen === undefined) own = watchPods(options, { nodeName: search.nodeName });
    const pods = seen ?? own!;
    clients = podClients({
      fresh: () => (ageOf([pods], clock.now()) ?? Infinity) < KNOWN_FOR_CERTAIN,
      ...search,
      pods,
      clusterDomain: primaryOf(blocks[0]!),
    });
  }

  /** By the block that they are of, as text: another configuration may have the same block. */
  const all = new Map<string, Contents>();
  let isReady = false;
  // Pods that ask are not waited for: who is not known is answered as anybody is.
  const synced = Promise.all([...views.values()].map((view) => view.synced())).then(() => {
    isReady = true;
  });

  const waits: (() => void)[] = [];
  /** Over when everything is listed, or that took too long, or nobody waits any more. */
  const startOf = ({ startupTimeout }: KubernetesOptions): { start?: Promise<void> } => {
    if (startupTimeout <= 0 || isReady) return {};
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(startupTimeout, resolve);
    const end = (): void => {
      cancel();
      resolve();
    };
    waits.push(end);
    void synced.then(end);
    return { start: promise };
  };

  const contentsOf = (block: KubernetesOptions): Contents => {
    const key = JSON.stringify(block);
    const known = all.get(key);
    if (known !== undefined) return known;
    const view = views.get(block.labels)!;
    const isChosen = block.namespaceLabels === undefined ? undefined : parseLabelSelector(block.namespaceLabels);
    const contents = createContents(() => clock.now(), {
      endpointPodNames: block.endpointPodNames,
      // Without endpoints nothing is known of which Services are empty.
      ignoreEmptyServices: block.ignoreEmptyServices && !block.noEndpoints,
      hidesUnknownNamespaces: isChosen !== undefined,
      ...(view.pods === undefined ? {} : { pods: addressesIn(view.pods) }),
    });
    all.set(key, contents);
    const following = {
      noEndpoints: block.noEndpoints,
      namespaces: block.namespaces === undefined ? undefined : new Set(block.namespaces),
      isExposed: ({ metadata }: { metadata: { labels?: Record<string, string> | undefined } }) =>
        isChosen?.(metadata.labels) !== false,
    };
    follow(contents, view, following, (words) => options.changed(words), log);
    return contents;
  };

  return {
    ...(clients === undefined ? {} : { clients }),
    ...(first === undefined ? {} : { services: first.services }),
    ...(first?.slices === undefined ? {} : { slices: first.slices }),
    source(block, { hasOutside, nameServers, own: at }) {
      const contents = contentsOf(block);
      const zones = createZones({
        ...block,
        fallthrough: hasOutside ? block.fallthrough : [],
        searches: search?.hostSearches !== undefined && JSON.stringify(block) === JSON.stringify(blocks[0]),
        nameServers: () =>
          nameServers === undefined ? nameServersIn(contents, at) : { addresses: nameServers, depends: [] },
      });
      return clusterSource({ zones, contents, isReady: () => isReady, ...startOf(block) });
    },
    get serial() {
      return Math.max(0, ...[...all.values()].map(({ serial }) => serial));
    },
    age() {
      const ages = [...views.values()].map((view) => view.age() ?? Infinity);
      const oldest = Math.max(...ages);
      return Number.isFinite(oldest) ? oldest : undefined;
    },
    synced: () => synced,
    stop() {
      for (const end of waits) end();
      for (const view of views.values()) view.stop();
      own?.stop();
    },
  };
}

const addressesIn = (pods: Cache<Pod>): PodAddresses => ({
  has: (namespace, ip) => pods.by(BY_ADDRESS, ip).some(({ metadata }) => metadata.namespace === namespace),
});
