import type { IPFamily } from "../../net/ip.ts";
import type { Clock } from "../../observe/clock.ts";

/** How the proxy is, as `/healthz` says it (PRX-115). */
export interface Health {
  readonly lastUpdated: string;
  readonly currentTime: string;
  readonly nodeEligible?: boolean;
  readonly healthy: boolean;
  readonly status: { readonly [family in IPFamily]?: { readonly lastUpdated: string; readonly healthy: boolean } };
}

/** Knows when something was due and when it was done. */
export interface HealthKeeper {
  /** Something is to be written. */
  queued(): void;
  /** All that was queued is written. */
  updated(): void;
  readonly healthy: boolean;
  /** `/livez`; with the Node's eligibility it is `/healthz` (PRX-117). */
  health(nodeEligible?: boolean): { readonly code: 200 | 503; readonly health: Health };
}

/**
 * Healthy, unless something has been due for at least `patience` milliseconds without being done; while the first round is still to come
 * that counts as healthy (PRX-116). Both families are written in one round.
 */
export function healthKeeper(clock: Clock, patience: number, families: readonly IPFamily[]): HealthKeeper {
  let oldestDue: number | undefined;
  let lastUpdated: number | undefined;
  const isHealthy = (): boolean =>
    lastUpdated === undefined || oldestDue === undefined || clock.now() - oldestDue < patience;
  const text = (time: number): string => new Date(time).toISOString();
  /** How Go writes a time that never was. */
  const never = "0001-01-01T00:00:00Z";

  return {
    queued: () => void (oldestDue ??= clock.now()),
    updated() {
      oldestDue = undefined;
      lastUpdated = clock.now();
    },
    get healthy() {
      return isHealthy();
    },
    health(nodeEligible) {
      const healthy = isHealthy();
      const isGood = healthy && nodeEligible !== false;
      const real = lastUpdated === undefined ? never : text(lastUpdated);
      const now = text(clock.now());
      return {
        code: isGood ? 200 : 503,
        health: {
          // PRX-118.
          lastUpdated: isGood ? now : real,
          currentTime: now,
          ...(nodeEligible === undefined ? {} : { nodeEligible }),
          healthy,
          status:
            lastUpdated === undefined
              ? {}
              : Object.fromEntries(families.map((family) => [family, { lastUpdated: real, healthy }])),
        },
      };
    },
  };
}
