import type { Service } from "../../api/generated/types.ts";
import { rangeContains, type AddressRange } from "../../net/addressRange.ts";
import type { IPFamily } from "../../net/ip.ts";

/** Addresses to give to Services of type LoadBalancer. */
export interface LoadBalancerPool {
  /** The `spec.loadBalancerClass` it serves; undefined serves the Services that name none (SVC-351). */
  readonly loadBalancerClass?: string | undefined;
  readonly ranges: readonly AddressRange[];
}

/** The pool for a Service: one that names another's class is another's to serve. */
export const poolOf = (pools: readonly LoadBalancerPool[], service: Service): LoadBalancerPool | undefined =>
  pools.find(({ loadBalancerClass }) => loadBalancerClass === (service.spec?.loadBalancerClass || undefined));

export const poolHas = (pool: LoadBalancerPool, ip: string): boolean =>
  pool.ranges.some((range) => rangeContains(range, ip));

export const rangesOf = (pool: LoadBalancerPool, family: IPFamily): readonly AddressRange[] =>
  pool.ranges.filter((range) => range.family === family);
