import type { Node } from "../api/generated/types.ts";
import type { Client } from "../client/client.ts";
import { createEventRecorder, type EventRecorder } from "../client/events.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import { appliedLease, type AppliedLease } from "./applied-lease.ts";
import type { EngineFigure } from "./engine.ts";
import { createFigures, type Figures } from "./figures.ts";
import { healthAnswers, metricsAnswers } from "./health/answers.ts";
import { healthCheckPorts } from "./health/check-ports.ts";
import { healthKeeper, type HealthKeeper } from "./health/health.ts";
import { keepOpen, type KeptOpen } from "./health/keep-open.ts";
import { listenAddress } from "../observe/http.ts";
import type { Timing } from "./loop.ts";
import type { NodeSettings } from "./node/node-plan.ts";
import type { OwnNode } from "./node/own-node.ts";
import type { Aftermath, Proxy } from "./proxy.ts";
import { asService } from "./telling.ts";

export interface SurroundingsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: NodeSettings;
  readonly ownNode: OwnNode;
  readonly timing: Timing;
  /** `ADDRESS:PORT`, or empty for none. */
  readonly healthzBindAddress: string;
  readonly metricsBindAddress: string;
  /** End rather than try again when one of them is taken (PRX-119). */
  readonly bindAddressHardFail: boolean;
  /** What `/configz` shows. */
  readonly configz: unknown;
  /** The servers are opened when this has resolved; at once where it is not given. Never rejects. */
  readonly serveAfter?: Promise<void>;
}

/** What is there once around whatever engine carries: health, figures, events, and the servers that show them. */
export interface Surroundings extends Part {
  readonly figures: Figures;
  readonly keeper: HealthKeeper;
  readonly recorder: EventRecorder;
  /** How far the rules of all who carry have come. */
  readonly lease: AppliedLease;
  /** Health check node ports. */
  readonly checkPorts: Aftermath;
  /** Tells an event on the Node. */
  tell(type: "Normal" | "Warning", reason: string, message: string): void;
  /** Who carries now, and is shown. */
  carrying: { readonly mode: string; readonly proxy: Pick<Proxy, "figures" | "service"> } | undefined;
  /** Rejects when a server could not be opened and that is to end us. */
  readonly failed: Promise<never>;
}

/** Events are about the Node by its name even when it is not there yet, as kube-proxy's are. */
const asNode = (node: Node | undefined, name: string): Node => ({
  ...(node ?? { metadata: { name, uid: name } }),
  apiVersion: "v1",
  kind: "Node",
});

export function openSurroundings(options: SurroundingsOptions): Surroundings {
  const { client, clock, log, settings, ownNode, timing } = options;
  const { nodeName, families } = settings;
  const figures = createFigures(clock, families);
  const keeper = healthKeeper(clock, 2 * timing.syncPeriod, families);
  const recorder = createEventRecorder({ client, component: "kube-proxy", host: nodeName, clock, log });
  const tell: Surroundings["tell"] = (type, reason, message) =>
    recorder.event(asNode(ownNode.node, nodeName), type, reason, message);
  const lease = appliedLease({ client, clock, log, nodeName });
  const nobody: readonly EngineFigure[] = [];

  const checkPorts = healthCheckPorts({
    log,
    isHealthy: () => keeper.healthy,
    failed(key, complaint) {
      const service = around.carrying?.proxy.service(key);
      if (service !== undefined)
        recorder.event(asService(service), "Warning", "FailedToStartServiceHealthcheck", complaint);
    },
  });
  const servers: { readonly reason: string; readonly server: KeptOpen }[] = [];
  const open = (
    name: string,
    address: string,
    reason: string,
    answer: Parameters<typeof keepOpen>[0]["answer"],
  ): void => {
    if (address === "") return;
    const server = keepOpen({
      name,
      address: listenAddress(address),
      answer,
      clock,
      log,
      hardFail: options.bindAddressHardFail,
      ...(options.serveAfter === undefined ? {} : { after: options.serveAfter }),
    });
    servers.push({ reason, server });
  };
  open(
    "health",
    options.healthzBindAddress,
    "FailedToStartProxierHealthcheck",
    healthAnswers({ keeper, figures, isEligible: () => ownNode.facts.eligible }),
  );
  open(
    "metrics",
    options.metricsBindAddress,
    "FailedToStartMetricServer",
    metricsAnswers({
      get mode() {
        return around.carrying?.mode ?? "";
      },
      configz: options.configz,
      startedAt: clock.now(),
      now: () => clock.now(),
      metrics: () =>
        figures.text(around.carrying?.proxy.figures() ?? nobody, (name, error) =>
          log.warn({ metric: name, error: (error as Error).message }, "a metric could not be read"),
        ),
    }),
  );
  const failed = new Promise<never>((_, reject) => {
    for (const { reason, server } of servers) {
      server.open.catch((error: Error) => {
        tell("Warning", reason, error.message);
        void recorder.flush().then(() => reject(error));
      });
    }
  });
  failed.catch(() => {});

  const around: Surroundings = {
    figures,
    keeper,
    recorder,
    lease,
    checkPorts,
    tell,
    carrying: undefined,
    failed,
    async stop() {
      await checkPorts.stop();
      await lease.stop();
      for (const { server } of servers) await server.stop();
      recorder.stop();
    },
  };
  return around;
}
