import type { FlowEvents, Handshake } from "../../host/conntrack/events.ts";
import type { Routes } from "../../host/routes.ts";
import { hostPort } from "../../net/ip.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Metrics } from "../../observe/metrics.ts";
import { isRedirected } from "../conntrack/flow-ports.ts";
import type { EndpointAddress, Protocol } from "../plan/plan.ts";
import type { Aftermath } from "../proxy.ts";
import { PATIENCE, PenaltyBox } from "./box.ts";
import { Targets } from "./targets.ts";

/**
 * Milliseconds between two looks at what became of connections: while there are some, for a while after the last one, and then. From
 * the first connection that nobody answers to the end of the last one led there all of it must be over within a second; each look
 * wakes the machine.
 */
const BUSY = 50;
const CALM = 200;
const IDLE = 400;
/** How long that while is. */
const CALMING = 30_000;

export interface PenaltiesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What becomes of TCP connections; undefined where nobody can tell: then only `failed` puts an endpoint in doubt. */
  readonly events: Pick<FlowEvents, "take"> | undefined;
  /** Which ways there are: a connection that has none is in no connection tracking. */
  readonly routes: Pick<Routes, "lost" | "leadTo"> | undefined;
  /** Whether an endpoint takes a connection of ours. Never rejects. */
  readonly ask: (endpoint: EndpointAddress) => Promise<boolean>;
  /** These Services have to be planned again. */
  readonly replan: (services: readonly string[]) => void;
  /** For an event on each Service (`namespace/name`). */
  readonly tell: (services: readonly string[], type: "Normal" | "Warning", reason: string, message: string) => void;
}

export interface Penalties extends Aftermath {
  isPenalized(target: EndpointAddress, protocol: Protocol): boolean;
  /** A connection to the endpoint could not be made: for who makes connections himself. */
  failed(target: EndpointAddress): void;
  /** A connection was made. */
  answered(target: EndpointAddress): void;
}

const nameOf = ({ ip, port }: EndpointAddress): string => hostPort(ip, port);

/** Leaves endpoints out of new connections while they fail them: watches how connections begin, and asks those that are in doubt. */
export function penalties(options: PenaltiesOptions): Penalties {
  const { clock, log, metrics, events, routes, ask, replan, tell } = options;
  const box = new PenaltyBox();
  const targets = new Targets();
  const addresses = new Map<string, EndpointAddress>();
  let failures = 0;
  let cancel: (() => void) | undefined;
  let stopped = false;
  metrics.read(
    "gauge",
    "fairlead_proxy_penalized_endpoints",
    "Endpoints that get no new connections because they do not answer",
    [],
    () => [[[], box.penalized.size]],
  );
  metrics.read(
    "counter",
    "fairlead_proxy_penalties_total",
    "How often an endpoint was left out of new connections because it did not answer",
    [],
    () => [[[], box.given]],
  );

  const told = (endpoint: string, verdict: "penalized" | "released"): void => {
    const services = targets.servicesOf(endpoint);
    log.info({ endpoint, services, verdict }, "an endpoint is left out of new connections, or let in again");
    if (verdict === "penalized") {
      const message = `${endpoint} does not take connections; new ones go to other endpoints until it does`;
      tell(services, "Warning", "EndpointPenalized", message);
    } else tell(services, "Normal", "EndpointReleased", `${endpoint} gets new connections again`);
    replan(services);
  };

  /** Answers whether the connection is one of a Service. */
  const hear = ({ kind, flow }: Handshake, now: number): boolean => {
    const endpoint = hostPort(flow.reply.source, flow.reply.sourcePort);
    if (!targets.has(endpoint)) return false;
    const whose = `${flow.original.source} ${flow.original.sourcePort}`;
    if (kind === "answered") box.answered(endpoint);
    else if (kind === "forgotten") box.forgotten(endpoint, whose);
    // Who was called by its own address is not our affair, and our own questions are such calls.
    else if (kind === "opened" && isRedirected(flow)) {
      if (!addresses.has(endpoint)) addresses.set(endpoint, { ip: flow.reply.source, port: flow.reply.sourcePort });
      box.opened(endpoint, whose, now);
    }
    return isRedirected(flow);
  };

  const askWithoutWay = (now: number): void => {
    if (routes?.lost() !== true) return;
    for (const [endpoint, address] of targets.locals) {
      if (box.penalized.has(endpoint) || routes.leadTo(address.ip)) continue;
      addresses.set(endpoint, address);
      box.opened(endpoint, "no way", now - PATIENCE);
    }
  };

  const act = (now: number): void => {
    const isOut = (endpoint: string): boolean => box.penalized.has(endpoint);
    const { ask: asked, released } = box.decide(now, (endpoint) => targets.isLastStanding(endpoint, isOut));
    for (const endpoint of released) told(endpoint, "released");
    for (const endpoint of asked) {
      void ask(addresses.get(endpoint)!).then((took) => {
        const verdict = stopped ? undefined : box.heard(endpoint, took, clock.now());
        if (verdict !== undefined) told(endpoint, verdict);
      });
    }
  };

  let lastBusy = clock.now();
  const pauseAt = (now: number): number => (now - lastBusy < CALMING ? CALM : IDLE);
  const look = (): void => {
    const now = clock.now();
    let busy = false;
    try {
      const handshakes = events === undefined ? [] : events.take();
      if (handshakes === undefined) box.lost();
      busy = handshakes === undefined;
      for (const handshake of handshakes ?? []) if (hear(handshake, now)) busy = true;
      askWithoutWay(now);
    } catch (error) {
      log.warn({ complaint: (error as Error).message }, "what becomes of connections could not be seen");
    }
    act(now);
    busy ||= box.inDoubt;
    if (busy) lastBusy = now;
    if (!stopped) cancel = clock.after(busy ? BUSY : pauseAt(now), look);
  };
  cancel = clock.after(CALM, look);

  return {
    isPenalized: (target, protocol) => protocol === "TCP" && box.penalized.has(nameOf(target)),
    failed(target) {
      const endpoint = nameOf(target);
      if (!targets.has(endpoint)) return;
      addresses.set(endpoint, { ip: target.ip, port: target.port });
      box.opened(endpoint, `failure ${++failures}`, clock.now() - PATIENCE);
    },
    answered: (target) => box.answered(nameOf(target)),
    applied({ changes }) {
      for (const [key, plan] of changes) {
        for (const endpoint of targets.set(key, plan)) {
          box.gone(endpoint);
          addresses.delete(endpoint);
        }
      }
    },
    async stop() {
      stopped = true;
      cancel?.();
    },
  };
}
