import type { Client } from "../../client/client.ts";
import type { Host } from "../../host/host.ts";
import type { AccessLog } from "../../ingress/access-log.ts";
import { lineOf } from "../../ingress/access-log/line.ts";
import { createLineWriter, type TakeText } from "../../ingress/access-log/writer.ts";
import type { ForwardedTrust, IngressEngineName, Listener, ListenerOpener } from "../../ingress/engine.ts";
import { createIngressFigures, type IngressFigures } from "../../ingress/figures/figures.ts";
import type { IngressPlan } from "../../ingress/plan/plan.ts";
import { startIngress, type IngressController, type IngressOptions } from "../../ingress/ingress.ts";
import { systemClock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { random } from "../site/parts/part.ts";
import { VERSION } from "../version.ts";
import { chooseIngressEngine } from "./engines.ts";

/** The door of a site, and one that runs alone, are made from this. */
export interface DoorOptions extends Omit<
  IngressOptions,
  "client" | "clock" | "random" | "log" | "engine" | "cookieSecret"
> {
  readonly client: Client;
  readonly host: Host;
  readonly log: Log;
  readonly wish: "auto" | IngressEngineName;
  readonly listeners: readonly Listener[];
  readonly open?: ListenerOpener | undefined;
  readonly trust: ForwardedTrust;
  /** Where each request is written as a line; undefined: nowhere. */
  readonly requests: TakeText | undefined;
  /** Of its own, for files and sockets of an engine. */
  readonly directory: string;
}

export interface RunningDoor {
  readonly controller: IngressController;
  readonly engineName: IngressEngineName;
  readonly listening: () => readonly Listener[];
  readonly figures: IngressFigures;
  /** Rejects when it can carry no more. */
  readonly failed: Promise<never>;
  /** Milliseconds that what is under way has to come to its end. Said again with fewer it is cut then, and nothing else is waited for. */
  stop(drain: number): Promise<void>;
}

const USUAL_HTTPS = 443;
const COOKIE_SECRET = "kube-system/fairlead-ingress-cookie";

/** Chooses an engine and serves by it what the cluster's Ingresses say. Throws Failure where the engine that is wished for is not there. */
export async function startDoor(options: DoorOptions): Promise<RunningDoor> {
  const { client, host, log, wish, listeners, open, trust, requests, directory, ...wishes } = options;
  const writer = requests === undefined ? undefined : createLineWriter(requests, systemClock);
  // The figures name the engine, and the engine's requests are counted.
  let figures: IngressFigures | undefined;
  const accessLog: AccessLog = (exchange) => {
    figures?.count(exchange);
    writer?.write(lineOf(exchange));
  };
  const engine = await chooseIngressEngine(wish, {
    listeners,
    ...(open === undefined ? {} : { open }),
    trust,
    accessLog,
    writesRequests: writer !== undefined,
    host,
    directory,
    httpsPort: listeners.find(({ tls }) => tls)?.port || USUAL_HTTPS,
    clock: systemClock,
    random,
    log,
  });
  const counts = createIngressFigures({ version: VERSION, engine: engine.name, log });
  figures = counts;
  let certificates: IngressPlan["certificates"] | undefined;
  counts.watchCertificates(() => certificates);
  counts.watchConnections(() => engine.figures);
  if (engine.readCounts !== undefined) counts.watchEngine(() => engine.readCounts!());
  const controller = startIngress({
    ...wishes,
    client,
    clock: systemClock,
    random,
    log,
    engine,
    cookieSecret: COOKIE_SECRET,
    onApplied(seconds, plan) {
      counts.applied(seconds);
      certificates = plan.certificates;
    },
    onFailed: () => void (counts.failures.value += 1),
  });
  counts.watchPlan(() => controller.found);
  counts.watchAge(() => controller.age());
  let isStopping = false;
  return {
    controller,
    engineName: engine.name,
    listening: () => engine.listening,
    figures: counts,
    failed: engine.failed,
    async stop(drain) {
      if (isStopping) return engine.stop(drain);
      isStopping = true;
      // Who still asks on a connection that is left is answered as the cluster is then.
      await engine.stop(drain);
      await controller.stop();
      await writer?.flush();
    },
  };
}
