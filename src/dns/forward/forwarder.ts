import { hostPort } from "../../net/ip.ts";
import type { Clock } from "../../observe/clock.ts";
import type { ForwardOptions } from "../configuration/configuration.ts";
import { RCODE } from "../names/record.ts";
import type { Query } from "../wire/query.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { createStreamExchange } from "./exchange/stream.ts";
import { createUdpExchange } from "./exchange/udp.ts";
import { noFigures, type ForwardFigures } from "./figures.ts";
import { createHealth, type Health } from "./health.ts";
import type { Transport } from "./outside.ts";
import { policyOf } from "./policy.ts";
import { upstreamQuery } from "./question.ts";
import { Unanswered, type Resolver } from "./resolver.ts";
import { failureOf, readResponse, type Response } from "./response.ts";

export interface ForwarderOptions {
  readonly forward: ForwardOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly figures?: ForwardFigures;
  /** Queries waiting for upstreams at one time, whatever `maxConcurrent` says; further ones fail at once. */
  readonly waiting?: number;
}

/** Milliseconds until a query is given up: a stub resolver waits 5 seconds, and is to hear of it. */
const PATIENCE = 4500;
/** Milliseconds until another upstream is asked as well: at the most, and at the least. */
const LONGEST_TRY = 1500;
const SHORTEST_TRY = 250;
/** How often it is looked who has waited long enough. */
const SWEEP = 50;
const WAITING = 8192;
/** How long an upstream that knows no EDNS is asked without (RFC 6891 §6.2.2). */
const PLAIN = 300_000;

interface Upstream {
  readonly name: string;
  readonly datagrams: Exchange | undefined;
  readonly stream: Exchange;
  readonly health: Health;
  plainUntil: number;
}

/** One client's query, and all that is being tried for it. */
interface Flow {
  readonly packet: Buffer;
  readonly query: Query;
  readonly transport: Transport;
  readonly order: readonly number[];
  readonly deadline: number;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
  /** Forgets each query that was sent. */
  readonly forgets: (() => void)[];
  /** Places in `order` passed so far, going round. */
  turn: number;
  tries: number;
  underWay: number;
  /** When somebody else is asked as well. */
  nextAt: number;
  asked: Upstream | undefined;
  /** The first failure that an upstream told: better than ours, as it may carry the reason. */
  refusal: Response | undefined;
  error: Error | undefined;
  isSettled: boolean;
  /** Where it is among those under way. */
  place: number;
}

/** What one resolver cannot do another one may, as stub resolvers see it too. */
const isFailure = (rcode: number): boolean =>
  rcode === RCODE.SERVFAIL || rcode === RCODE.REFUSED || rcode === RCODE.NOTIMP || rcode > 15;

/**
 * Asks the resolvers of one `forward`. One that does not answer soon is not given up: the next is asked as well, and the
 * first answer of any is taken.
 */
export function createForwarder(options: ForwarderOptions): Resolver {
  const { forward, clock, random, figures = noFigures, waiting = WAITING } = options;
  const { maxConcurrent, maxFails, expire } = forward;

  const upstreams = forward.to.map((to): Upstream => {
    const name = hostPort(to.address, to.port);
    const shared = { to, clock, random, expire };
    const protocol = to.tls === undefined ? "tcp" : "tcp-tls";
    const stream = createStreamExchange({
      ...shared,
      connection: (reused) => figures.connection(name, protocol, reused),
    });
    const datagrams =
      to.tls !== undefined || forward.forceTcp
        ? undefined
        : createUdpExchange({ ...shared, connection: (reused) => figures.connection(name, "udp", reused) });
    const health = createHealth({
      exchange: datagrams ?? stream,
      check: forward.healthCheck,
      maxFails,
      clock,
      failed: () => figures.healthCheckFailed(name),
    });
    return { name, datagrams, stream, health, plainUntil: 0 };
  });
  const count = upstreams.length;
  const order = policyOf(forward.policy, count, random);
  const step = Math.min(LONGEST_TRY, Math.max(SHORTEST_TRY, Math.floor(PATIENCE / (2 * count))));
  const mostTries = Math.ceil(PATIENCE / step);

  // Not a set: the tables that one leaves behind as it grows keep what was in them from being collected for long.
  const flows: Flow[] = [];
  let cancelSweep: (() => void) | undefined;
  const sweep = (): void => {
    const now = clock.now();
    // A copy, as those that are given up go.
    for (const flow of flows.slice()) {
      if (now >= flow.deadline) giveUp(flow);
      else if (now >= flow.nextAt) {
        flow.asked?.health.suspect();
        tryNext(flow);
      }
    }
    cancelSweep = flows.length === 0 ? undefined : clock.after(SWEEP, sweep);
  };

  const settle = (flow: Flow): void => {
    flow.isSettled = true;
    const last = flows.pop()!;
    if (last !== flow) {
      flows[flow.place] = last;
      last.place = flow.place;
    }
    for (const forget of flow.forgets) forget();
  };
  const accept = (flow: Flow, response: Response): void => {
    settle(flow);
    flow.resolve(response);
  };
  const giveUp = (flow: Flow): void => {
    if (flow.refusal !== undefined) {
      accept(flow, flow.refusal);
      return;
    }
    settle(flow);
    flow.reject(new Unanswered(`asking ${count} upstream resolvers: none answered`, { cause: flow.error }));
  };

  const nextUpstream = (flow: Flow): Upstream | undefined => {
    for (let passed = 0; passed < count; passed += 1) {
      const upstream = upstreams[flow.order[flow.turn % count]!]!;
      flow.turn += 1;
      if (!upstream.health.isDown) return upstream;
    }
    figures.allDown();
    // It may be the checks that are broken.
    return forward.failFast ? undefined : upstreams[Math.floor(random() * count)];
  };

  const tryNext = (flow: Flow): void => {
    // Once one has told a failure, the others are asked once each, and not again.
    const most = flow.refusal === undefined ? mostTries : count;
    const upstream = flow.tries < most ? nextUpstream(flow) : undefined;
    if (upstream === undefined) {
      flow.nextAt = flow.deadline;
      if (flow.underWay === 0) giveUp(flow);
      return;
    }
    flow.tries += 1;
    flow.asked = upstream;
    flow.nextAt = clock.now() + step;
    send(flow, upstream, upstream.datagrams ?? upstream.stream);
  };

  const failed = (flow: Flow, upstream: Upstream, error: Error): void => {
    flow.error = error;
    upstream.health.suspect();
    tryNext(flow);
  };

  const send = (flow: Flow, upstream: Upstream, exchange: Exchange): void => {
    const { query, transport } = flow;
    const began = clock.now();
    const isPlain = began < upstream.plainUntil;
    flow.underWay += 1;
    const forget = exchange.send({
      query: upstreamQuery(flow.packet, query, !isPlain),
      end: query.end,
      heard(bytes) {
        if (flow.isSettled) return;
        flow.underWay -= 1;
        const response = readResponse(bytes, query.end);
        if (response === undefined) {
          failed(flow, upstream, new Error(`asking the upstream resolver ${upstream.name}: its answer is garbage`));
          return;
        }
        const { rcode } = response;
        figures.answered(upstream.name, rcode, (clock.now() - began) / 1000);
        if (!isPlain && !response.hasOpt && (rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP)) {
          upstream.plainUntil = clock.now() + PLAIN;
          send(flow, upstream, exchange);
        } else if (response.isCut && exchange.protocol === "udp" && (transport === "tcp" || forward.preferUdp)) {
          send(flow, upstream, upstream.stream);
        } else if (isFailure(rcode) || forward.failover.includes(rcode)) {
          flow.refusal ??= response;
          tryNext(flow);
        } else accept(flow, response);
      },
      failed(error) {
        if (flow.isSettled) return;
        flow.underWay -= 1;
        failed(flow, upstream, error);
      },
    });
    flow.forgets.push(forget);
  };

  return {
    resolve(packet, query, transport) {
      if (maxConcurrent > 0 && flows.length >= maxConcurrent) {
        figures.rejected();
        return Promise.resolve(failureOf(packet, query, RCODE.REFUSED));
      }
      if (flows.length >= waiting) {
        return Promise.reject(new Error(`asking upstream resolvers: ${flows.length} queries wait for them already`));
      }
      return new Promise((resolve, reject) => {
        const now = clock.now();
        const flow: Flow = {
          packet,
          query,
          transport,
          order: order(),
          deadline: now + PATIENCE,
          resolve,
          reject,
          forgets: [],
          turn: 0,
          tries: 0,
          underWay: 0,
          nextAt: 0,
          asked: undefined,
          refusal: undefined,
          error: undefined,
          isSettled: false,
          place: flows.length,
        };
        flows.push(flow);
        cancelSweep ??= clock.after(SWEEP, sweep);
        tryNext(flow);
      });
    },
    stop() {
      cancelSweep?.();
      for (const { health, datagrams, stream } of upstreams) {
        health.stop();
        datagrams?.close();
        stream.close();
      }
      for (const flow of flows) {
        flow.isSettled = true;
        flow.reject(new Error("asking upstream resolvers: this server is ending"));
      }
      flows.length = 0;
    },
  };
}
