import { addressSet } from "../../../net/address-set.ts";
import type { Clock } from "../../../observe/clock.ts";
import type { RequestHead } from "../../request.ts";
import type { RateLimit } from "../../settings/settings.ts";
import type { Admit } from "../step.ts";
import { clientKey } from "./client-key.ts";
import { createLeakyBuckets, type LeakyBuckets } from "./leaky-bucket.ts";

/** Addresses that are remembered of one Ingress and one of its bounds. */
const CAPACITY = 100_000;

/** What is known of the clients of one Ingress. It outlives every plan. */
interface Counted {
  perSecond: Rate | undefined;
  perMinute: Rate | undefined;
  /** Requests under way, by client. */
  readonly underWay: Map<string, number>;
}

interface Rate {
  readonly of: string;
  readonly buckets: LeakyBuckets;
}

export interface RateFilter {
  /** Absent: no bound. */
  readonly requests: Admit | undefined;
  /** After everything else: what it lets in is counted until `ended`. */
  readonly connections: { readonly admit: Admit; readonly ended: (request: RequestHead) => void } | undefined;
}

/** `settings.rateLimit` of all routes: routes of one Ingress share what they count. */
export interface RateLimits {
  of(ingress: string, setting: RateLimit): RateFilter;
  readonly isEmpty: boolean;
  /** Forgets Ingresses that are not among these, unless requests are under way. */
  keep(ingresses: ReadonlySet<string>): void;
}

export function createRateLimits(clock: Clock, capacity = CAPACITY): RateLimits {
  const byIngress = new Map<string, Counted>();
  const countedOf = (ingress: string): Counted => {
    const known = byIngress.get(ingress);
    if (known !== undefined) return known;
    const made: Counted = { perSecond: undefined, perMinute: undefined, underWay: new Map() };
    byIngress.set(ingress, made);
    return made;
  };
  /** The buckets that are there, if the bound is still the same. */
  const rate = (known: Rate | undefined, perSecond: number | undefined, burst: number): Rate | undefined => {
    if (perSecond === undefined || perSecond <= 0) return undefined;
    const of = `${perSecond} ${burst}`;
    return known?.of === of ? known : { of, buckets: createLeakyBuckets(perSecond, burst, capacity) };
  };

  return {
    of(ingress, setting) {
      const counted = countedOf(ingress);
      const { perSecond, perMinute, burst, connections, status } = setting;
      counted.perSecond = rate(counted.perSecond, perSecond, (perSecond ?? 0) * burst);
      counted.perMinute = rate(
        counted.perMinute,
        perMinute === undefined ? undefined : perMinute / 60,
        (perMinute ?? 0) * burst,
      );
      const bounds = [counted.perSecond, counted.perMinute].flatMap((one) => one?.buckets ?? []);
      const except = addressSet(setting.except);
      const isBounded = ({ client }: RequestHead): boolean => except.isEmpty || !except.has(client);
      const refusal = { status };

      const requests: Admit = (request) => {
        if (!isBounded(request)) return undefined;
        const key = clientKey(request.client);
        const now = clock.now();
        if (!bounds.every((buckets) => buckets.fits(key, now))) return refusal;
        for (const buckets of bounds) buckets.count(key, now);
        return undefined;
      };
      const holding = new WeakSet<RequestHead>();
      const { underWay } = counted;
      return {
        requests: bounds.length === 0 ? undefined : requests,
        connections:
          connections === undefined || connections <= 0
            ? undefined
            : {
                admit(request) {
                  if (!isBounded(request)) return undefined;
                  const key = clientKey(request.client);
                  const count = underWay.get(key) ?? 0;
                  if (count >= connections) return refusal;
                  underWay.set(key, count + 1);
                  holding.add(request);
                  return undefined;
                },
                ended(request) {
                  if (!holding.delete(request)) return;
                  const key = clientKey(request.client);
                  const count = underWay.get(key) ?? 0;
                  if (count > 1) underWay.set(key, count - 1);
                  else underWay.delete(key);
                },
              },
      };
    },
    get isEmpty() {
      return byIngress.size === 0;
    },
    keep(ingresses) {
      for (const [ingress, { underWay }] of byIngress) {
        if (!ingresses.has(ingress) && underWay.size === 0) byIngress.delete(ingress);
      }
    },
  };
}
