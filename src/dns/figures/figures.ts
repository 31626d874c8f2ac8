import { createMetrics, type Cell, type Metrics } from "../../observe/metrics.ts";
import type { Log } from "../../observe/log.ts";
import { ageFigure } from "./age.ts";
import { answerFigures, type ZoneFigures } from "./answers.ts";
import { clusterFigures, type ClusterFigures } from "./cluster.ts";
import { outsideFigures, type OutsideFigures } from "./outside.ts";

/** What DNS counts, under CoreDNS's names where CoreDNS has one (DNS-133), so that dashboards and alerts that people have go on. */
export interface DnsFigures {
  /** For one zone of one server; `server` is as CoreDNS writes it, `dns://:53`, `zone` ends with a dot. */
  zone(server: string, zone: string): ZoneFigures;
  readonly outside: OutsideFigures;
  readonly cluster: ClusterFigures;
  /** Failures of our own making while a query was answered. */
  readonly panics: Cell;
  /** Search lists that were answered in one reply. */
  readonly searches: Cell;
  /** Lines of the query log that were left out because there were too many. */
  readonly unlogged: Cell;
  /** Says that a server does a thing that CoreDNS has a plugin for. */
  enabled(server: string, zone: string, plugin: string): void;
  /** Says where the ready answers of a responder are counted. */
  readyAnswers(
    server: string,
    read: () => { readonly size: number; readonly hits: number; readonly misses: number },
  ): void;
  /** Says how old what names are answered from is, in seconds; the last to say so counts. */
  watchAge(age: () => number | undefined): void;
  /** All figures in Prometheus's text format. */
  text(): Promise<string>;
}

type Ready = Parameters<DnsFigures["readyAnswers"]>[1];

/** Figures of the answers that are kept as bytes, read when somebody asks. */
function readyFigures(metrics: Metrics): DnsFigures["readyAnswers"] {
  const readers = new Map<string, Ready>();
  const read = (
    type: "gauge" | "counter",
    name: string,
    help: string,
    pick: (now: ReturnType<Ready>) => number,
  ): void =>
    metrics.read(type, name, help, ["server"], () =>
      [...readers].map(([server, reader]) => [[server], pick(reader())] as const),
    );
  read("gauge", "fairlead_dns_ready_answers", "Answers that are kept as bytes.", ({ size }) => size);
  read("counter", "fairlead_dns_ready_hits_total", "Queries answered by bytes that were kept.", ({ hits }) => hits);
  read(
    "counter",
    "fairlead_dns_ready_misses_total",
    "Queries whose answer was not kept as bytes: it was computed, or asked for outside.",
    ({ misses }) => misses,
  );
  return (server, reader) => void readers.set(server, reader);
}

/** `version` is the program's own. */
export function createFigures(options: { readonly version: string; readonly log: Log }): DnsFigures {
  const metrics = createMetrics();
  const one = (name: string, help: string): Cell => metrics.counter(name, help, []).of();
  metrics
    .gauge("coredns_build_info", "Always 1: which program this is.", ["version", "revision", "goversion"])
    .of(options.version, "", "").value = 1;
  const enabled = metrics.gauge("coredns_plugin_enabled", "1 for what a server does, by CoreDNS's plugin for it.", [
    "server",
    "zone",
    "view",
    "name",
  ]);
  let age: () => number | undefined = () => undefined;
  ageFigure(metrics, () => age());
  return {
    watchAge: (read) => void (age = read),
    zone: answerFigures(metrics),
    outside: outsideFigures(metrics),
    cluster: clusterFigures(metrics),
    panics: one("coredns_panics_total", "Failures of the server itself while a query was answered."),
    searches: one("fairlead_dns_searches_total", "Search lists of pods that were answered in one reply."),
    unlogged: one("fairlead_dns_unlogged_total", "Lines of the query log left out because there were too many."),
    enabled: (server, zone, plugin) => void (enabled.of(server, zone, "", plugin).value = 1),
    readyAnswers: readyFigures(metrics),
    text: () =>
      metrics.text((name, error) => options.log.warn({ err: error, metric: name }, "a metric could not be read")),
  };
}
