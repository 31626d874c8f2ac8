import type { Service } from "../../api/generated/types.ts";
import { canonicalIP, familyOf, fromNumber, type IPFamily } from "../../net/ip.ts";
import { addressesOf, conflict, holderOf, type Holdings } from "./holdings.ts";
import { poolHas, rangesOf, type LoadBalancerPool } from "./pool.ts";

/** The addresses a Service asks for, by comma; `spec.loadBalancerIP` is the older way to ask for one. */
export const WANTED = "fairlead.dev/load-balancer-ips";

/** Why a Service has no address: `reason` is one word, `message` says what would help. */
export interface Pending {
  readonly reason: "NoPool" | "PoolExhausted" | "AddressOutsidePool" | "AddressTaken" | "InvalidAddress";
  readonly message: string;
}

export type Assignment = { readonly addresses: readonly string[] } | { readonly pending: Pending };

/** Looked at in one range before it is called full: a larger one is never searched whole. */
const MOST_LOOKED_AT = 65_536n;

const families = (service: Service): readonly IPFamily[] => (service.spec?.ipFamilies ?? ["IPv4"]) as IPFamily[];

function wanted(service: Service): string[] {
  const asked = service.metadata.annotations?.[WANTED] ?? service.spec?.loadBalancerIP ?? "";
  return asked
    .split(",")
    .map((ip) => ip.trim())
    .filter((ip) => ip !== "");
}

/** Why the Service cannot have this address; with `older`, only for Services older than itself that have it too. */
function obstacle(service: Service, ip: string, holdings: Holdings, older: boolean): string | undefined {
  const self = holderOf(service);
  for (const holder of holdings.of(ip)) {
    if (holder.key === self.key || (older && holder.age > self.age)) continue;
    const why = conflict(self, holder);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** An address that shares the Service's word and fits, else the lowest that nobody has. */
function find(service: Service, family: IPFamily, pool: LoadBalancerPool, holdings: Holdings): string | undefined {
  const self = holderOf(service);
  if (self.sharing !== "") {
    const shared = holdings
      .shared(self.namespace, self.sharing)
      .find(
        (ip) => familyOf(ip) === family && poolHas(pool, ip) && obstacle(service, ip, holdings, false) === undefined,
      );
    if (shared !== undefined) return shared;
  }
  for (const { first, last } of rangesOf(pool, family)) {
    for (let at = first; at <= last && at - first < MOST_LOOKED_AT; at += 1n) {
      const ip = fromNumber(at, family);
      if (holdings.of(ip).every(({ key }) => key === self.key)) return ip;
    }
  }
  return undefined;
}

/** What was asked for by name: all of it, or nothing and why. */
function grant(service: Service, asked: readonly string[], pool: LoadBalancerPool, holdings: Holdings): Assignment {
  const addresses: string[] = [];
  for (const text of asked) {
    const family = familyOf(text);
    if (family === undefined || !families(service).includes(family)) {
      const message = `${JSON.stringify(text)} is no address of the Service's families (${families(service).join(", ")})`;
      return { pending: { reason: "InvalidAddress", message } };
    }
    const ip = canonicalIP(text);
    if (!poolHas(pool, ip)) {
      const message = `${ip} is not in the pool (${pool.ranges.map((range) => range.text).join(", ")}); ask for one that is, or widen --load-balancer-range`;
      return { pending: { reason: "AddressOutsidePool", message } };
    }
    const why = obstacle(service, ip, holdings, addressesOf(service).includes(ip));
    if (why !== undefined) return { pending: { reason: "AddressTaken", message: `${ip} is taken: ${why}` } };
    addresses.push(ip);
  }
  return { addresses };
}

/**
 * Which addresses a Service of type LoadBalancer gets of its pool, one a family. What it has it keeps while it may: where two have
 * one address that they cannot share, the older keeps it.
 */
export function decideAddresses(service: Service, pool: LoadBalancerPool | undefined, holdings: Holdings): Assignment {
  if (pool === undefined || pool.ranges.length === 0) {
    const message = "there are no addresses for load balancers here; start with --load-balancer-range";
    return { pending: { reason: "NoPool", message } };
  }
  const asked = wanted(service);
  if (asked.length > 0) return grant(service, asked, pool, holdings);
  const had = addressesOf(service);
  const addresses: string[] = [];
  const missing: IPFamily[] = [];
  for (const family of families(service)) {
    const kept = had.find(
      (ip) => familyOf(ip) === family && poolHas(pool, ip) && obstacle(service, ip, holdings, true) === undefined,
    );
    const ip = kept ?? find(service, family, pool, holdings);
    if (ip === undefined) missing.push(family);
    else addresses.push(ip);
  }
  const mayMiss = service.spec?.ipFamilyPolicy === "PreferDualStack" && addresses.length > 0;
  if (missing.length > 0 && !mayMiss) {
    const message = `no ${missing.join(" or ")} address is free in ${pool.ranges.map((range) => range.text).join(", ")}; delete a Service of type LoadBalancer, share an address, or widen --load-balancer-range`;
    return { pending: { reason: "PoolExhausted", message } };
  }
  return { addresses };
}
