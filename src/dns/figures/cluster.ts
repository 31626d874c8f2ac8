import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import type { Metrics } from "../../observe/metrics.ts";

const LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time";

/** What is counted of the cluster's changes. */
export interface ClusterFigures {
  /**
   * A slice's names are answered from now on, `now` in milliseconds since the epoch. Measured from when the Service or a pod of it
   * changed, as the controller has written it on the slice; slices without that, and those of nobody, do not count.
   */
  programmed(slice: EndpointSlice, service: Service | undefined, now: number): void;
}

export function clusterFigures(metrics: Metrics): ClusterFigures {
  const durations = metrics.histogram(
    "coredns_kubernetes_dns_programming_duration_seconds",
    "Seconds from a change of a Service or of a pod of it until it was answered.",
    ["service_kind"],
    // From a millisecond to about 9 minutes, doubling.
    Array.from({ length: 20 }, (_, power) => 0.001 * 2 ** power),
  );
  return {
    programmed(slice, service, now) {
      const changed = Date.parse(slice.metadata.annotations?.[LAST_CHANGE] ?? "");
      if (Number.isNaN(changed) || service === undefined) return;
      // Whoever writes the annotation does so for Services with a selector alone.
      const kind = service.spec?.clusterIP === "None" ? "headless_with_selector" : "cluster_ip";
      durations.observe((now - changed) / 1000, kind);
    },
  };
}
