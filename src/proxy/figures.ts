import type { IPFamily } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import type { EngineFigure, ProxyMode } from "./engine.ts";
import type { Programmed } from "./latency.ts";
import type { AppliedRound } from "./loop.ts";
import { localGaps, type LocalGaps } from "./local-gaps.ts";

/** What the proxy counts, under kube-proxy's names (PRX-122 … PRX-136). */
export interface Figures {
  /** For whoever counts something beside. */
  readonly metrics: Metrics;
  queued(what: "service" | "endpoints"): void;
  round(round: { readonly milliseconds: number; readonly full: boolean }): void;
  applied(round: AppliedRound): void;
  failed(mode: ProxyMode, round: { readonly full: boolean }): void;
  cleanupFailed(mode: ProxyMode): void;
  programmed(one: Programmed): void;
  disturbed(): void;
  asked(path: "healthz" | "livez", code: number): void;
  /** All of it, with what the engine counts itself. */
  text(engine: readonly EngineFigure[], failed: (name: string, error: unknown) => void): Promise<string>;
}

const range = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);

/** 1 ms to 16 s, doubling. */
const ROUND_BUCKETS = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);
/** PRX-126. */
const PROGRAMMING_BUCKETS = [0.25, 0.5, ...range(1, 59, 1), ...range(60, 115, 5), ...range(120, 300, 30)];

const SYNC = "kubeproxy_sync_proxy_rules";

/** Metrics of what an engine told, grouped by name. */
function ofEngine(figures: readonly EngineFigure[]): Metrics {
  const metrics = createMetrics();
  for (const [name, group] of Map.groupBy(figures, (figure) => figure.name)) {
    const { type, help, labels } = group[0]!;
    const names = Object.keys(labels);
    metrics.read(type, name, help, names, () =>
      group.map((one) => [names.map((label) => one.labels[label] ?? ""), one.value] as const),
    );
  }
  return metrics;
}

export function createFigures(clock: Clock, families: readonly IPFamily[]): Figures {
  const metrics = createMetrics();
  const family = ["ip_family"];
  const round = metrics.histogram(
    `${SYNC}_duration_seconds`,
    "How long a round of writing rules took",
    family,
    ROUND_BUCKETS,
  );
  const full = metrics.histogram(
    "kubeproxy_sync_full_proxy_rules_duration_seconds",
    "How long a round took that compared all rules",
    family,
    ROUND_BUCKETS,
  );
  const partial = metrics.histogram(
    "kubeproxy_sync_partial_proxy_rules_duration_seconds",
    "How long a round took that wrote what had changed",
    family,
    ROUND_BUCKETS,
  );
  const lastDone = metrics.gauge(`${SYNC}_last_timestamp_seconds`, "When rules were last written", family);
  const lastQueued = metrics.gauge(`${SYNC}_last_queued_timestamp_seconds`, "When a round was last asked for", family);
  const programming = metrics.histogram(
    "kubeproxy_network_programming_duration_seconds",
    "From a change of a pod or Service to the rules on this node",
    family,
    PROGRAMMING_BUCKETS,
  );
  const changes = {
    endpoints: {
      pending: metrics
        .gauge(`${SYNC}_endpoint_changes_pending`, "Changes of endpoints that are not written yet", [])
        .of(),
      total: metrics.counter(`${SYNC}_endpoint_changes_total`, "Changes of endpoints", []).of(),
    },
    service: {
      pending: metrics
        .gauge(`${SYNC}_service_changes_pending`, "Changes of Services that are not written yet", [])
        .of(),
      total: metrics.counter(`${SYNC}_service_changes_total`, "Changes of Services", []).of(),
    },
  };
  const gaps: LocalGaps = localGaps();
  metrics.read(
    "gauge",
    `${SYNC}_no_local_endpoints_total`,
    "Service ports with a Local policy, endpoints elsewhere and none here",
    ["traffic_policy", "ip_family"],
    () => gaps.readings(families),
  );
  const healthz = metrics.counter("kubeproxy_proxy_healthz_total", "Answers of /healthz", ["code"]);
  const livez = metrics.counter("kubeproxy_proxy_livez_total", "Answers of /livez", ["code"]);
  const restoreFailures = metrics.counter(
    `${SYNC}_iptables_restore_failures_total`,
    "Rounds that iptables-restore refused",
    family,
  );
  const partialFailures = metrics.counter(
    `${SYNC}_iptables_partial_restore_failures_total`,
    "Those of them that wrote what had changed",
    family,
  );
  const nftFailures = metrics.counter(`${SYNC}_nftables_sync_failures_total`, "Rounds that nftables refused", family);
  const nftCleanups = metrics.counter(
    `${SYNC}_nftables_cleanup_failures_total`,
    "Times that nftables rules could not be taken away",
    family,
  );
  const disturbed = metrics
    .counter("fairlead_proxy_rules_disturbed_total", "Times that somebody else was found to have changed our rules", [])
    .of();
  metrics.read("gauge", "process_start_time_seconds", "When this process started", [], () => [
    [[], Math.round(Date.now() / 1000 - process.uptime())],
  ]);
  metrics.read("gauge", "process_resident_memory_bytes", "Memory of this process", [], () => [
    [[], process.memoryUsage.rss()],
  ]);
  metrics.read("counter", "process_cpu_seconds_total", "Processor time of this process", [], () => {
    const { user, system } = process.cpuUsage();
    return [[[], (user + system) / 1e6]];
  });
  const each = (act: (name: IPFamily) => void): void => families.forEach(act);

  return {
    metrics,
    queued(what) {
      changes[what].total.value++;
      changes[what].pending.value++;
      each((name) => (lastQueued.of(name).value = clock.now() / 1000));
    },
    round({ milliseconds, full: isFull }) {
      each((name) => {
        round.observe(milliseconds / 1000, name);
        (isFull ? full : partial).observe(milliseconds / 1000, name);
        lastDone.of(name).value = clock.now() / 1000;
      });
    },
    applied(round) {
      changes.endpoints.pending.value = changes.service.pending.value = 0;
      gaps.applied(round);
    },
    failed(mode, { full: isFull }) {
      each((name) => {
        if (mode === "nftables") nftFailures.of(name).value++;
        if (mode === "iptables" || mode === "ipvs") restoreFailures.of(name).value++;
        if (mode === "iptables" && !isFull) partialFailures.of(name).value++;
      });
    },
    cleanupFailed(mode) {
      if (mode === "nftables") each((name) => nftCleanups.of(name).value++);
    },
    programmed({ family: name, triggerTime, appliedAt }) {
      programming.observe((appliedAt - triggerTime) / 1000, name);
    },
    disturbed: () => void disturbed.value++,
    asked: (path, code) => void (path === "healthz" ? healthz : livez).of(String(code)).value++,
    text: async (engine, failed) => (await metrics.text(failed)) + (await ofEngine(engine).text(failed)),
  };
}
