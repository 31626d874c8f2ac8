import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { IPFamily } from "../../net/ip.ts";
import { frontendKey, frontendsOf, isProxied, nodePortKey, protocolOf } from "./service.ts";

const FAMILIES: readonly IPFamily[] = ["IPv4", "IPv6"];

interface Claim {
  readonly service: string;
  /** Smaller goes first: a clusterIP before an externalIP, then the older Service, then the name. */
  readonly rank: string;
}

function waysIn(service: Service): Map<string, Claim> {
  const ways = new Map<string, Claim>();
  if (!isProxied(service)) return ways;
  const key = keyOf(service);
  const age = `${service.metadata.creationTimestamp ?? ""} ${key}`;
  for (const family of FAMILIES) {
    for (const port of service.spec?.ports ?? []) {
      for (const frontend of frontendsOf(service, port, family)) {
        const rank = `${frontend.kind === "cluster" ? 0 : 1} ${age}`;
        ways.set(frontendKey(frontend, protocolOf(port)), { service: key, rank });
      }
      if (port.nodePort) ways.set(nodePortKey(family, port.nodePort, protocolOf(port)), { service: key, rank: age });
    }
  }
  return ways;
}

/** Who holds a way in when several Services name it: the oldest, and never over another's clusterIP (PRX-044). */
export class Claims {
  readonly #holders = new Map<string, Claim[]>();
  readonly #ways = new Map<string, Map<string, Claim>>();

  owns(way: string, service: string): boolean {
    return this.#holders.get(way)?.[0]?.service === service;
  }

  /** Takes in a Service, or its absence; answers the other Services whose ways in have changed hands. */
  set(key: string, service: Service | undefined): Set<string> {
    const touched = new Set<string>();
    const was = this.#ways.get(key);
    const now = service === undefined ? new Map<string, Claim>() : waysIn(service);
    for (const way of was?.keys() ?? []) if (!now.has(way)) this.#settle(way, key, undefined, touched);
    for (const [way, claim] of now) {
      if (was?.get(way)?.rank !== claim.rank) this.#settle(way, key, claim, touched);
    }
    if (now.size > 0) this.#ways.set(key, now);
    else this.#ways.delete(key);
    touched.delete(key);
    return touched;
  }

  #settle(way: string, key: string, claim: Claim | undefined, touched: Set<string>): void {
    const before = this.#holders.get(way) ?? [];
    const after = before.filter((one) => one.service !== key);
    if (claim !== undefined) after.push(claim);
    after.sort((one, other) => (one.rank < other.rank ? -1 : 1));
    if (after.length > 0) this.#holders.set(way, after);
    else this.#holders.delete(way);
    if (before[0]?.service === after[0]?.service) return;
    for (const one of [before[0], after[0]]) if (one !== undefined) touched.add(one.service);
  }
}
