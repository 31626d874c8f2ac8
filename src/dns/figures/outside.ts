import type { Cell, Metrics, Ranges } from "../../observe/metrics.ts";
import { rcodeName, TIMES } from "./answers.ts";

/** What a cache of answers from outside counts. */
export interface CacheFigures {
  readonly requests: Cell;
  readonly misses: Cell;
  readonly prefetches: Cell;
  readonly drops: Cell;
  readonly stale: Cell;
  readonly success: KindFigures;
  readonly denial: KindFigures;
}

/** The same for answers with records, and for those that say there are none. */
export interface KindFigures {
  readonly entries: Cell;
  readonly hits: Cell;
  readonly evictions: Cell;
}

/** What is counted of one resolver that is asked. */
export interface UpstreamFigures {
  readonly failedChecks: Cell;
  /** How long it took, and with what code; both known at the end. */
  answered(rcode: number, seconds: number): void;
  /** A connection that was there was used again, or a new one was made. */
  connection(protocol: "udp" | "tcp" | "tcp-tls", isReused: boolean): void;
}

/** Everything that is counted of what is not known by heart. */
export interface OutsideFigures {
  /** `zones` as CoreDNS writes them: each with its final dot, separated by commas. */
  cache(server: string, zones: string): CacheFigures;
  /** `to` is `ADDRESS:PORT`. */
  upstream(to: string): UpstreamFigures;
  /** No resolver was healthy. */
  readonly allBroken: Cell;
  /** Too many queries were waiting already. */
  readonly rejected: Cell;
  /** Names in a file, or in the configuration where `file` is `""`. */
  hosts(file: string): Cell;
  /** Unix time of the last reading of a hosts file, in seconds. */
  readonly hostsReadAt: Cell;
}

export function outsideFigures(metrics: Metrics): OutsideFigures {
  const zones = ["server", "zones", "view"];
  const kinds = ["server", "type", "zones", "view"];
  const entries = metrics.gauge("coredns_cache_entries", "Answers in the cache.", kinds);
  const hits = metrics.counter("coredns_cache_hits_total", "Queries answered from the cache.", kinds);
  const evictions = metrics.counter("coredns_cache_evictions_total", "Answers that made room for newer ones.", kinds);
  const requests = metrics.counter("coredns_cache_requests_total", "Queries that were looked for in the cache.", zones);
  const misses = metrics.counter("coredns_cache_misses_total", "Queries whose answer was not in the cache.", zones);
  const prefetches = metrics.counter(
    "coredns_cache_prefetch_total",
    "Answers that were fetched anew before they ended.",
    zones,
  );
  const drops = metrics.counter("coredns_cache_drops_total", "Answers that were malformed and not kept.", zones);
  const stale = metrics.counter("coredns_cache_served_stale_total", "Queries answered by what had ended.", zones);

  const upstreams = ["proxy_name", "to"];
  const durations = metrics.histogram(
    "coredns_proxy_request_duration_seconds",
    "Seconds a resolver took to answer.",
    [...upstreams, "rcode"],
    TIMES,
  );
  const failedChecks = metrics.counter(
    "coredns_proxy_healthcheck_failures_total",
    "Health checks of a resolver that failed.",
    upstreams,
  );
  const reused = metrics.counter(
    "coredns_proxy_conn_cache_hits_total",
    "Connections to a resolver that were used again.",
    [...upstreams, "proto"],
  );
  const made = metrics.counter("coredns_proxy_conn_cache_misses_total", "Connections to a resolver that were made.", [
    ...upstreams,
    "proto",
  ]);
  const hosts = metrics.gauge("coredns_hosts_entries", "Names from hosts files and from the configuration.", [
    "hostsfile",
  ]);

  return {
    cache(server, names) {
      const kind = (type: string): KindFigures => ({
        entries: entries.of(server, type, names, ""),
        hits: hits.of(server, type, names, ""),
        evictions: evictions.of(server, type, names, ""),
      });
      return {
        requests: requests.of(server, names, ""),
        misses: misses.of(server, names, ""),
        prefetches: prefetches.of(server, names, ""),
        drops: drops.of(server, names, ""),
        stale: stale.of(server, names, ""),
        success: kind("success"),
        denial: kind("denial"),
      };
    },
    upstream(to) {
      const byCode: Ranges[] = [];
      const connections = { udp: [], tcp: [], "tcp-tls": [] } as Record<"udp" | "tcp" | "tcp-tls", Cell[]>;
      return {
        failedChecks: failedChecks.of("forward", to),
        answered: (rcode, seconds) =>
          (byCode[rcode] ??= durations.of("forward", to, rcodeName(rcode))).observe(seconds),
        connection(protocol, isReused) {
          const cells = connections[protocol];
          (cells[isReused ? 1 : 0] ??= (isReused ? reused : made).of("forward", to, protocol)).value++;
        },
      };
    },
    allBroken: metrics
      .counter("coredns_forward_healthcheck_broken_total", "Queries that found no healthy resolver.", [])
      .of(),
    rejected: metrics
      .counter(
        "coredns_forward_max_concurrent_rejects_total",
        "Queries refused because too many were waiting already.",
        [],
      )
      .of(),
    hosts: (file) => hosts.of(file),
    hostsReadAt: metrics
      .gauge("coredns_hosts_reload_timestamp_seconds", "Unix time of the last reading of a hosts file.", [])
      .of(),
  };
}
