import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import type { Metrics, Readings } from "../../observe/metrics.ts";
import { selectorOf } from "../pods/addresses.ts";
import { portsKey } from "../pods/ports.ts";
import type { SliceOperation } from "./act.ts";
import { isOurs } from "./metadata.ts";
import { distributionOf, isAuto } from "./topology/mode.ts";

const PREFIX = "endpoint_slice_controller_";
/** Endpoints: 2, 4, 8 … 32768. */
export const DOUBLING: readonly number[] = Array.from({ length: 15 }, (_, power) => 2 ** (power + 1));
/** What Prometheus libraries take when none are given; upstream did not give any for slices. */
const PLAIN: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How one piece of work ended: `stale` when somebody else had changed what it was made from. */
export type SyncResult = "success" | "stale" | "error";

export interface SliceMetrics {
  wrote(operation: SliceOperation): void;
  synced(result: SyncResult): void;
  /** What one piece of work that ended well has changed. */
  changed(service: Service, change: { added: number; removed: number; slices: number }): void;
}

export interface SliceMetricsSources {
  readonly slices: () => Iterable<EndpointSlice>;
  readonly services: () => Iterable<Service>;
  readonly most: number;
}

/** How many slices there are of these, how many endpoints they hold, and how many slices would do. */
export function sliceTotals(
  slices: Iterable<EndpointSlice>,
  most: number,
): { slices: number; least: number; endpoints: number } {
  const groups = new Map<string, number>();
  let count = 0;
  let endpoints = 0;
  for (const slice of slices) {
    const { namespace, labels } = slice.metadata;
    const key = `${namespace}/${labels?.["kubernetes.io/service-name"]} ${slice.addressType} ${portsKey(slice.ports)}`;
    const here = slice.endpoints?.length ?? 0;
    groups.set(key, (groups.get(key) ?? 0) + here);
    count += 1;
    endpoints += here;
  }
  let least = 0;
  for (const held of groups.values()) least += Math.max(1, Math.ceil(held / most));
  return { slices: count, least, endpoints };
}

/** CTL-055: what upstream's controller tells, under its names. What there is, is counted when somebody asks. */
export function sliceMetrics(metrics: Metrics, sources: SliceMetricsSources): SliceMetrics {
  const totals = () => sliceTotals([...sources.slices()].filter(isOurs), sources.most);
  const gauge = (name: string, help: string, value: () => number): void =>
    metrics.read("gauge", `${PREFIX}${name}`, help, [], () => [[[], value()]]);
  gauge("num_endpoint_slices", "EndpointSlices that there are.", () => totals().slices);
  gauge("desired_endpoint_slices", "EndpointSlices that there would be if all were full.", () => totals().least);
  gauge("endpoints_desired", "Endpoints that are wanted.", () => totals().endpoints);
  metrics.read(
    "gauge",
    `${PREFIX}services_count_by_traffic_distribution`,
    "Services by their traffic distribution.",
    ["traffic_distribution"],
    (): Readings => {
      const counts = new Map<string, number>();
      for (const service of sources.services()) {
        const distribution = selectorOf(service) === undefined ? undefined : distributionOf(service);
        if (distribution !== undefined) counts.set(distribution, (counts.get(distribution) ?? 0) + 1);
      }
      return [...counts].map(([distribution, count]) => [[distribution], count] as const);
    },
  );
  const added = metrics.histogram(
    `${PREFIX}endpoints_added_per_sync`,
    "Endpoints added by one sync of a Service.",
    [],
    DOUBLING,
  );
  const removed = metrics.histogram(
    `${PREFIX}endpoints_removed_per_sync`,
    "Endpoints removed by one sync of a Service.",
    [],
    DOUBLING,
  );
  const changes = metrics.counter(`${PREFIX}changes`, "EndpointSlices written.", ["operation"]);
  const perSync = metrics.histogram(
    `${PREFIX}endpointslices_changed_per_sync`,
    "EndpointSlices written by one sync of a Service.",
    ["topology", "traffic_distribution"],
    PLAIN,
  );
  const syncs = metrics.counter(`${PREFIX}syncs`, "Syncs of a Service's EndpointSlices.", ["result"]);
  return {
    wrote: (operation) => void changes.of(operation).value++,
    synced: (result) => void syncs.of(result).value++,
    changed(service, change) {
      added.observe(change.added);
      removed.observe(change.removed);
      perSync.observe(change.slices, isAuto(service) ? "Auto" : "Disabled", distributionOf(service) ?? "");
    },
  };
}
