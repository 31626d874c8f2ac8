import type { Metrics } from "../../observe/metrics.ts";

/** How old what DNS knows is, in seconds; nothing is told before there is something to know. */
export function ageFigure(metrics: Metrics, age: () => number | undefined): void {
  metrics.read(
    "gauge",
    "fairlead_dns_view_age_seconds",
    "Seconds since the Services, EndpointSlices and namespaces that names are answered from were last known to be current.",
    [],
    () => {
      const seconds = age();
      return seconds === undefined ? [] : [[[], seconds]];
    },
  );
}
