import type { EndpointSlice } from "../../api/generated/types.ts";
import type { Metrics } from "../../observe/metrics.ts";
import type { SliceOperation } from "../endpointslices/act.ts";
import { DOUBLING, sliceTotals } from "../endpointslices/metrics.ts";
import type { MirrorDecision } from "./decide.ts";
import { isMirrored } from "./metadata.ts";

const PREFIX = "endpoint_slice_mirroring_controller_";
/** Seconds: 1 ms, 2 ms … 16 s. */
const SECONDS: readonly number[] = Array.from({ length: 15 }, (_, power) => 0.001 * 2 ** power);

export interface MirrorMetrics {
  wrote(operation: SliceOperation): void;
  synced(seconds: number, decision: MirrorDecision | undefined): void;
}

/** CTL-095: what upstream's controller tells, under its names. What there is, is counted when somebody asks. */
export function mirrorMetrics(metrics: Metrics, slices: () => Iterable<EndpointSlice>, most: number): MirrorMetrics {
  const totals = () => sliceTotals([...slices()].filter(isMirrored), most);
  const gauge = (name: string, help: string, value: () => number): void =>
    metrics.read("gauge", `${PREFIX}${name}`, help, [], () => [[[], value()]]);
  gauge("num_endpoint_slices", "Mirrored EndpointSlices that there are.", () => totals().slices);
  gauge(
    "desired_endpoint_slices",
    "Mirrored EndpointSlices that there would be if all were full.",
    () => totals().least,
  );
  gauge("endpoints_desired", "Endpoints that are wanted.", () => totals().endpoints);
  const perSync = (name: string, help: string) => metrics.histogram(`${PREFIX}${name}`, help, [], DOUBLING);
  const added = perSync("endpoints_added_per_sync", "Endpoints added by one sync of an Endpoints object.");
  const updated = perSync("endpoints_updated_per_sync", "Endpoints changed by one sync of an Endpoints object.");
  const removed = perSync("endpoints_removed_per_sync", "Endpoints removed by one sync of an Endpoints object.");
  const skipped = perSync("addresses_skipped_per_sync", "Addresses of an Endpoints object that were not mirrored.");
  const took = metrics.histogram(`${PREFIX}endpoints_sync_duration`, "Seconds that a sync took.", [], SECONDS);
  const changes = metrics.counter(`${PREFIX}changes`, "EndpointSlices written.", ["operation"]);
  return {
    wrote: (operation) => void changes.of(operation).value++,
    synced(seconds, decision) {
      took.observe(seconds);
      if (decision?.isMirrored !== true) return;
      added.observe(decision.added);
      updated.observe(decision.updated);
      removed.observe(decision.removed);
      skipped.observe(decision.invalid + decision.excess);
    },
  };
}
