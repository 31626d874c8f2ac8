import { endpointOptions, type EndpointOptions } from "../controllers/endpoint-options.ts";
import { UsageError } from "./failure.ts";
import type { Flags, Given } from "./flags.ts";

const period = (what: string) => ({
  type: "string" as const,
  value: "DURATION",
  help: `how long changes of pods are gathered before ${what} are written (0s)`,
});
const number = (what: string) => ({ type: "string" as const, value: "N", help: what });

/** CTL-053: named as kube-controller-manager's. */
export const ENDPOINT_FLAGS = {
  "max-endpoints-per-slice": number("endpoints of an EndpointSlice, 1 to 1000 (100)"),
  "endpointslice-updates-batch-period": period("EndpointSlices"),
  "endpoint-updates-batch-period": period("Endpoints"),
  "mirroring-endpointslice-updates-batch-period": period("mirrored EndpointSlices"),
  "concurrent-service-endpoint-syncs": number("Services whose EndpointSlices are worked on at once, 1 to 50 (5)"),
  "concurrent-endpoint-syncs": number("Services whose Endpoints are worked on at once (5)"),
  "mirroring-concurrent-service-endpoint-syncs": number("Endpoints mirrored at once, 1 to 50 (5)"),
  "mirroring-max-endpoints-per-subset": number("addresses of a subset that are mirrored, 1 to 1000 (1000)"),
} as const satisfies Flags;

const OPTION: Readonly<Record<keyof typeof ENDPOINT_FLAGS, keyof EndpointOptions>> = {
  "max-endpoints-per-slice": "maxEndpointsPerSlice",
  "endpointslice-updates-batch-period": "endpointSliceUpdatesBatchPeriod",
  "endpoint-updates-batch-period": "endpointUpdatesBatchPeriod",
  "mirroring-endpointslice-updates-batch-period": "mirroringEndpointSliceUpdatesBatchPeriod",
  "concurrent-service-endpoint-syncs": "concurrentServiceEndpointSyncs",
  "concurrent-endpoint-syncs": "concurrentEndpointSyncs",
  "mirroring-concurrent-service-endpoint-syncs": "mirroringConcurrentServiceEndpointSyncs",
  "mirroring-max-endpoints-per-subset": "mirroringMaxEndpointsPerSubset",
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `1s`, `1m30s`, or `0`; in milliseconds. Undefined for anything else. */
function durationOf(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  return [...parts].reduce((total, [, count, unit]) => total + Number(count) * UNITS[unit!]!, 0);
}

/** What of it was given. Throws UsageError. */
export function endpointFlags({ values }: Given): Partial<EndpointOptions> {
  const options: Partial<Record<keyof EndpointOptions, number>> = {};
  for (const [flag, option] of Object.entries(OPTION)) {
    const text = values[flag];
    if (typeof text !== "string") continue;
    const value = flag.endsWith("period") ? durationOf(text) : /^\d+$/.test(text) ? Number(text) : undefined;
    if (value === undefined) {
      const wanted = flag.endsWith("period") ? "a duration such as 500ms or 1s" : "a whole number";
      throw new UsageError(`--${flag}: ${JSON.stringify(text)} is not ${wanted}`);
    }
    try {
      endpointOptions({ [option]: value });
    } catch (error) {
      throw new UsageError(`--${flag}: ${(error as Error).message.replace(option, "it")}`, { cause: error });
    }
    options[option] = value;
  }
  return options;
}
