import type { ConntrackUsage } from "../../host/conntrack/conntrack.ts";
import type { IPFamily } from "../../net/ip.ts";
import type { Metrics } from "../../observe/metrics.ts";

/** Seconds: 1 ms, doubled fourteen times, as upstream's. */
const BUCKETS = Array.from({ length: 15 }, (_, at) => 0.001 * 2 ** at);

export interface ConntrackMetrics {
  /** A look for stale flows took so many seconds, and so many of each family were deleted (PRX-136). */
  cleaned(seconds: number, deleted: ReadonlyMap<IPFamily, number>): void;
}

/** Upstream's two metrics of the clean-up, and how full the kernel's table is. */
export function conntrackMetrics(
  metrics: Metrics,
  families: readonly IPFamily[],
  usage: () => ConntrackUsage,
): ConntrackMetrics {
  const duration = metrics.histogram(
    "kubeproxy_conntrack_reconciler_sync_duration_seconds",
    "How long a look for stale flows in connection tracking took, their deletion included, in seconds",
    ["ip_family"],
    BUCKETS,
  );
  const deletions = metrics.counter(
    "kubeproxy_conntrack_reconciler_deleted_entries_total",
    "Flows deleted because they led to an endpoint that the Service has no more",
    ["ip_family"],
  );
  metrics.read(
    "gauge",
    "fairlead_proxy_conntrack_entries",
    "Connections that the kernel's connection tracking holds, of everybody",
    [],
    () => [[[], usage().entries]],
  );
  metrics.read(
    "gauge",
    "fairlead_proxy_conntrack_limit",
    "Connections that the kernel's connection tracking has room for; more are refused",
    [],
    () => [[[], usage().limit]],
  );
  return {
    cleaned(seconds, deleted) {
      for (const family of families) {
        duration.observe(seconds, family);
        deletions.of(family).value += deleted.get(family) ?? 0;
      }
    },
  };
}
