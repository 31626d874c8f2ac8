import type { IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { ipAddress } from "../../api/ipAddress/ipAddress.ts";
import { serviceCIDR } from "../../api/serviceCIDR/serviceCIDR.ts";
import type { Cidr } from "../../net/cidr.ts";
import { familyOf, toNumber } from "../../net/ip.ts";
import type { Metrics, Readings } from "../../observe/metrics.ts";
import type { WatchCache } from "../cache/watch-cache.ts";
import { sizeOf, usableIn } from "../claims/bands.ts";
import type { ClaimsObserver } from "../claims/observer.ts";
import type { NodePortRange } from "../claims/plan-node-ports.ts";
import { rangesOf, type ClaimReader } from "../claims/reader.ts";

/** Seconds: the bounds that Prometheus libraries use when none are given. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ADDRESSES = "kube_apiserver_clusterip_allocator";
const PORTS = "kube_apiserver_nodeport_allocator";

/** Every range of every ServiceCIDR, once. */
function rangesIn(cache: WatchCache): Cidr[] {
  const all = cache.of(serviceCIDR);
  const cidrs = [...all.range(all.prefix)].flatMap(({ object }) => rangesOf(object as ServiceCIDR));
  return [...new Map(cidrs.map((cidr) => [cidr.text, cidr])).values()];
}

/** How many addresses of each range allocation has made IPAddresses for. */
function takenIn(cache: WatchCache, ranges: readonly Cidr[]): number[] {
  const taken = ranges.map(() => 0);
  const all = cache.of(ipAddress);
  for (const { object } of all.range(all.prefix)) {
    const { labels, name = "" } = (object as IPAddress).metadata;
    if (labels?.["ipaddress.kubernetes.io/managed-by"] !== "ipallocator.k8s.io") continue;
    const family = familyOf(name);
    const number = toNumber(name);
    for (const [index, range] of ranges.entries()) {
      if (range.family === family && number >= range.first && number <= range.last) taken[index]!++;
    }
  }
  return taken;
}

export interface AllocatorMetricsSources {
  readonly cache: WatchCache;
  readonly reader: Pick<ClaimReader, "takenNodePorts">;
  readonly nodePortRange: NodePortRange;
}

/** How full ranges and node ports are, and what was asked of them (SVC-279). What is full is read when asked, never counted along. */
export function allocatorMetrics(metrics: Metrics, sources: AllocatorMetricsSources): ClaimsObserver {
  const { cache, reader, nodePortRange } = sources;
  const addresses = (value: (taken: number, range: Cidr) => number) => (): Readings => {
    const ranges = rangesIn(cache);
    const taken = takenIn(cache, ranges);
    return ranges.map((range, index) => [[range.text], value(taken[index]!, range)] as const);
  };
  const ports = (value: (taken: number) => number) => async (): Promise<Readings> => {
    const taken = [...(await reader.takenNodePorts())].map(Number);
    const within = taken.filter((port) => port >= nodePortRange.first && port <= nodePortRange.last);
    return [[[], value(within.length)]];
  };
  const size = nodePortRange.last - nodePortRange.first + 1;
  metrics.read(
    "gauge",
    `${ADDRESSES}_allocated_ips`,
    "Addresses of a range that are held.",
    ["cidr"],
    addresses((taken) => taken),
  );
  metrics.read(
    "gauge",
    `${ADDRESSES}_available_ips`,
    "Addresses of a range that are free.",
    ["cidr"],
    addresses((taken, range) => Math.max(0, Number(sizeOf(usableIn(range))) - taken)),
  );
  metrics.read(
    "gauge",
    `${PORTS}_allocated_ports`,
    "Node ports that are held.",
    [],
    ports((taken) => taken),
  );
  metrics.read(
    "gauge",
    `${PORTS}_available_ports`,
    "Node ports that are free.",
    [],
    ports((taken) => size - taken),
  );
  const each = ["cidr", "scope"];
  const taken = metrics.counter(`${ADDRESSES}_allocation_total`, "Addresses that were taken.", each);
  const refused = metrics.counter(`${ADDRESSES}_allocation_errors_total`, "Addresses that could not be had.", each);
  const took = metrics.histogram(
    `${ADDRESSES}_allocation_duration_seconds`,
    "How long it took to find an address, in seconds.",
    ["cidr"],
    BOUNDS,
  );
  const portsTaken = metrics.counter(`${PORTS}_allocation_total`, "Node ports that were taken.", ["scope"]);
  const portsRefused = metrics.counter(`${PORTS}_allocation_errors_total`, "Node ports that could not be had.", [
    "scope",
  ]);
  return {
    addressTaken(cidr, scope, seconds) {
      taken.of(cidr, scope).value++;
      took.observe(seconds, cidr);
    },
    addressRefused: (cidr, scope) => void refused.of(cidr, scope).value++,
    portTaken: (scope) => void portsTaken.of(scope).value++,
    portRefused: (scope) => void portsRefused.of(scope).value++,
  };
}
