import { METHODS } from "node:http";
import { createMetrics, type Ranges, type Cell } from "../../observe/metrics.ts";
import type { Log } from "../../observe/log.ts";
import type { Exchange } from "../access-log.ts";
import type { ConnectionFigures, EngineCount } from "../engine.ts";
import type { IngressPlan } from "../plan/plan.ts";

/** What the door counts, under ingress-nginx's names where that has one, so that dashboards and alerts that people have go on. */
export interface IngressFigures {
  /** Counts a request that has ended. */
  count(exchange: Exchange): void;
  /** A change of the cluster is carried; seconds since it was seen. */
  applied(seconds: number): void;
  /** A plan could not be carried. */
  readonly failures: Cell;
  /** Ingresses that are ours, and faults that were found in them. */
  watchPlan(read: () => { readonly ingresses: number; readonly faults: number }): void;
  /** Requests that an engine has counted itself; asked whenever the text is. */
  watchEngine(read: () => Promise<readonly EngineCount[]>): void;
  /** Seconds since what is known of the cluster was last known to be current; undefined before it is known. */
  watchAge(read: () => number | undefined): void;
  /** When the certificates of a plan end. */
  watchCertificates(read: () => IngressPlan["certificates"] | undefined): void;
  /** Connections of an engine that counts them. */
  watchConnections(read: () => ConnectionFigures | undefined): void;
  /** All figures in Prometheus's text format. */
  text(): Promise<string>;
}

/** ingress-nginx's buckets, in seconds: Prometheus's usual ones. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const CHANGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES = [10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const LABELS = ["ingress", "namespace", "service", "path", "method", "host", "status"];
/** What clients make up must not make figures without end. */
const KNOWN: ReadonlySet<string> = new Set(METHODS);

/** All that is counted for one combination of labels. */
interface Counted {
  readonly requests: Cell;
  readonly seconds: Ranges;
  readonly backendSeconds: Ranges;
  readonly received: Ranges;
  readonly sent: Ranges;
}

/** `version` is the program's own; `engine` what carries. */
export function createIngressFigures(options: {
  readonly version: string;
  readonly engine: string;
  readonly log: Log;
}): IngressFigures {
  const metrics = createMetrics();
  const named = (name: string): string => `nginx_ingress_controller_${name}`;
  metrics
    .gauge(named("build_info"), "Always 1: which program this is.", ["version", "engine"])
    .of(options.version, options.engine).value = 1;
  const requests = metrics.counter(named("requests"), "Requests that have ended.", LABELS);
  const seconds = metrics.histogram(
    named("request_duration_seconds"),
    "Time from a request's first byte to the last of its answer.",
    LABELS,
    SECONDS,
  );
  const backendSeconds = metrics.histogram(
    named("response_duration_seconds"),
    "Time from asking an endpoint to the first byte of its answer.",
    LABELS,
    SECONDS,
  );
  const received = metrics.histogram(named("request_size"), "Bytes of requests' bodies.", LABELS, BYTES);
  const sent = metrics.histogram(named("response_size"), "Bytes of answers' bodies.", LABELS, BYTES);
  const tries = metrics
    .counter("fairlead_ingress_retries_total", "Times that a request was tried at another endpoint.", [])
    .of();
  const changes = metrics.histogram(
    "fairlead_ingress_change_duration_seconds",
    "Time from seeing a change of the cluster to serving by it.",
    [],
    CHANGE_SECONDS,
  );
  const failures = metrics
    .counter("fairlead_ingress_apply_failures_total", "Plans that could not be carried.", [])
    .of();
  let plan: () => { readonly ingresses: number; readonly faults: number } = () => ({ ingresses: 0, faults: 0 });
  let engine: () => Promise<readonly EngineCount[]> = async () => [];
  let age: () => number | undefined = () => undefined;
  metrics.read("gauge", "fairlead_ingress_ingresses", "Ingresses that are served.", [], () => [[[], plan().ingresses]]);
  metrics.read("gauge", "fairlead_ingress_faults", "Faults in them, told as events.", [], () => [[[], plan().faults]]);
  metrics.read("gauge", "fairlead_ingress_view_age_seconds", "How old what is known of the cluster is.", [], () => {
    const now = age();
    return now === undefined ? [] : [[[], now]];
  });

  let certificates: () => IngressPlan["certificates"] | undefined = () => undefined;
  metrics.read(
    "gauge",
    named("ssl_expire_time_seconds"),
    "When the certificate of a host ends, in seconds since 1970; host _ is any that has none of its own.",
    ["host", "namespace", "secret_name"],
    () =>
      [...(certificates() ?? [])].flatMap(([host, { secret, notAfter }]) => {
        if (notAfter === undefined) return [];
        const slash = secret.indexOf("/");
        const values = [host || "_", secret.slice(0, Math.max(0, slash)), secret.slice(slash + 1)];
        return [[values, notAfter / 1000]] as const;
      }),
  );

  let connections: () => ConnectionFigures | undefined = () => undefined;
  const ofConnections = (
    type: "gauge" | "counter",
    name: string,
    help: string,
    label: readonly [name: string, value: string] | undefined,
    of: (figures: ConnectionFigures) => number,
  ): void =>
    metrics.read(type, name, help, label === undefined ? [] : [label[0]], () => {
      const now = connections();
      return now === undefined ? [] : [[label === undefined ? [] : [label[1]], of(now)]];
    });
  ofConnections(
    "gauge",
    named("nginx_process_connections"),
    "Connections with clients that are open.",
    ["state", "active"],
    ({ open }) => open,
  );
  ofConnections(
    "counter",
    named("nginx_process_connections_total"),
    "Connections with clients that were taken.",
    ["state", "accepted"],
    ({ taken }) => taken,
  );
  ofConnections(
    "counter",
    "fairlead_ingress_handshakes_failed_total",
    "Handshakes of TLS that came to nothing.",
    undefined,
    ({ handshakesFailed }) => handshakesFailed,
  );
  ofConnections(
    "counter",
    "fairlead_ingress_refused_total",
    "Requests and connections that were not as they must be.",
    undefined,
    ({ refused }) => refused,
  );
  ofConnections(
    "counter",
    "fairlead_ingress_stalled_total",
    "Connections cut because nothing came, or nothing was taken, for too long.",
    undefined,
    ({ stalled }) => stalled,
  );

  // By Ingress and path first: joining seven labels for each request costs more than counting it.
  const counted = new Map<string, Counted>();
  const of = (exchange: Exchange): Counted => {
    const { route, backend } = exchange;
    const method = KNOWN.has(exchange.method) ? exchange.method : "OTHER";
    const values = [
      route?.ingress.name ?? "",
      route?.ingress.namespace ?? "",
      backend === undefined ? "" : (backend.id.split("/")[1]?.split(":")[0] ?? ""),
      route?.path ?? "",
      method,
      route?.host ?? "",
      String(exchange.status),
    ];
    const key = values.join("\u0000");
    let found = counted.get(key);
    if (found === undefined) {
      found = {
        requests: requests.of(...values),
        seconds: seconds.of(...values),
        backendSeconds: backendSeconds.of(...values),
        received: received.of(...values),
        sent: sent.of(...values),
      };
      counted.set(key, found);
    }
    return found;
  };

  return {
    count(exchange) {
      const cells = of(exchange);
      cells.requests.value += 1;
      cells.seconds.observe(exchange.duration);
      cells.received.observe(exchange.received);
      cells.sent.observe(exchange.sent);
      if (exchange.backend === undefined) return;
      cells.backendSeconds.observe(exchange.backend.latency);
      tries.value += Math.max(0, exchange.backend.tries - 1);
    },
    applied: (value) => changes.observe(value),
    failures,
    watchPlan: (read) => void (plan = read),
    watchAge: (read) => void (age = read),
    watchCertificates: (read) => void (certificates = read),
    watchConnections: (read) => void (connections = read),
    watchEngine: (read) => void (engine = read),
    async text() {
      const failed = (name: string, error: unknown): void =>
        options.log.warn({ name, error }, "a figure of Ingress cannot be told");
      try {
        const counts = await engine();
        const cellOf = ({ backend, status }: EngineCount): Cell => {
          const [namespace = "", service = ""] = backend?.split(":")[0]?.split("/") ?? [];
          return requests.of("", namespace, service, "", "", "", status);
        };
        // Ports of one Service are counted together.
        for (const one of counts) cellOf(one).value = 0;
        for (const one of counts) cellOf(one).value += one.requests;
      } catch (error) {
        failed(named("requests"), error);
      }
      return metrics.text(failed);
    },
  };
}
