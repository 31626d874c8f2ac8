import type { Cell, Metrics } from "../../observe/metrics.ts";
import type { RequestInfo } from "../access/attributes.ts";
import type { KindIndex } from "../route.ts";
import type { Kind } from "../../api/kind.ts";

/** Seconds; the bounds that dashboards for kube-apiserver are made for. */
const BOUNDS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
/** Without `code`, which only the counter has. */
const LABELS = ["component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"];
/** Paths outside resources that are told apart; any others are counted as one, since anybody can ask for any path. */
const PATHS = /^\/(?:healthz|livez|readyz|metrics|version|api|apis|openapi\/v2|openapi\/v3)(?=\/|$)/;
/** Requests that stay open say nothing about how long answers take. */
const LONG = new Set(["log", "exec", "attach", "portforward", "proxy"]);
const VERBS: Readonly<Record<string, string>> = {
  get: "GET",
  list: "LIST",
  watch: "WATCH",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETECOLLECTION",
};
const READS = new Set(["get", "list", "watch"]);

/** One request, from when its meaning is known to the end of its answer. */
export interface MeasuredRequest {
  done(code: number): void;
}

/** What people look at first: how many requests, how long they took, how many are under way (upstream's names and labels). */
export class RequestMetrics {
  readonly #kinds: KindIndex;
  readonly #total;
  readonly #duration;
  readonly #mutating: Cell;
  readonly #reading: Cell;
  readonly #watchEvents;

  constructor(metrics: Metrics, kinds: KindIndex) {
    this.#kinds = kinds;
    this.#total = metrics.counter("apiserver_request_total", "Requests, by what they asked for and how they ended.", [
      "code",
      ...LABELS,
    ]);
    this.#duration = metrics.histogram(
      "apiserver_request_duration_seconds",
      "How long answers took, in seconds; requests that stay open are left out.",
      LABELS,
      BOUNDS,
    );
    const inflight = metrics.gauge("apiserver_current_inflight_requests", "Requests under way.", ["request_kind"]);
    this.#mutating = inflight.of("mutating");
    this.#reading = inflight.of("readOnly");
    const watchLabels = ["group", "resource", "version"];
    this.#watchEvents = metrics.counter("apiserver_watch_events_total", "Events sent to watchers.", watchLabels);
  }

  /** The number of events sent to watchers of a kind. */
  watchEvents({ group, plural, version }: Pick<Kind, "group" | "plural" | "version">): Cell {
    return this.#watchEvents.of(group, plural, version);
  }

  begin(info: RequestInfo, isDryRun: boolean): MeasuredRequest {
    const labels = this.#labelsOf(info, isDryRun);
    const isLong = info.resource !== undefined && (info.verb === "watch" || LONG.has(info.subresource));
    const isReading = info.resource === undefined ? info.verb === "get" : READS.has(info.verb);
    const under = isReading ? this.#reading : this.#mutating;
    const start = performance.now();
    if (!isLong) under.value++;
    return {
      done: (code) => {
        if (!isLong) under.value--;
        this.#total.of(String(code), ...labels).value++;
        if (!isLong) this.#duration.observe((performance.now() - start) / 1000, ...labels);
      },
    };
  }

  #labelsOf(info: RequestInfo, isDryRun: boolean): string[] {
    const dryRun = isDryRun ? "All" : "";
    const method = VERBS[info.verb] ?? info.verb.toUpperCase();
    if (info.resource === undefined) return ["", dryRun, "", "", "", PATHS.exec(info.path)?.[0] ?? "", method, ""];
    const { group, version, resource, subresource, namespace, name, verb } = info;
    const kind = this.#kinds.find(group, version, resource);
    // What is not served has any name; it is counted, but not told apart.
    if (kind === undefined) return ["apiserver", dryRun, "", "", "", "", method, ""];
    const scope = name !== "" || verb === "create" ? "resource" : namespace !== "" ? "namespace" : "cluster";
    const isPart =
      kind.subresources.includes(subresource as "status") ||
      LONG.has(subresource) ||
      (subresource === "scale" && kind.scaling !== undefined);
    const part = isPart ? subresource : "";
    return ["apiserver", dryRun, group, resource, scope, part, LONG.has(subresource) ? "CONNECT" : method, version];
  }
}
