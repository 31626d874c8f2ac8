import { ServerResponse, type IncomingMessage } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import { addressSet } from "../../../../net/address-set.ts";
import type { Clock } from "../../../../observe/clock.ts";
import type { Log } from "../../../../observe/log.ts";
import type { AccessLog } from "../../../access-log.ts";
import type { ForwardedTrust } from "../../../engine.ts";
import type { RouteFilters } from "../../../filters/filters.ts";
import { upgradeOf } from "../../../heads/connection.ts";
import { page } from "../../../heads/page.ts";
import { requestIdOf } from "../../../heads/request-id.ts";
import { guardedRoute } from "../../../plan/guards.ts";
import { matchHost } from "../../../plan/match.ts";
import type { IngressPlan, RoutePlan } from "../../../plan/plan.ts";
import type { RequestHead } from "../../../request.ts";
import type { Selection } from "../../../selection/selection.ts";
import type { Arrival, Handler } from "../handler.ts";
import { createUpstreams } from "../upstream/upstreams.ts";
import { RequestBody, type BodySource } from "./body.ts";
import type { Carrier } from "./carrier.ts";
import { changingSocket, changingStream, type Changing } from "./changing.ts";
import { HttpExchange } from "./exchange.ts";
import { readConnectHead, readHead, type HeadGround, type Understood } from "./head.ts";
import { Http1Reply } from "./http1-reply.ts";
import { Http2Reply } from "./http2-reply.ts";
import { createMirror } from "./mirror.ts";
import type { Reply } from "./reply.ts";

export interface HandlerGround {
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly trust: ForwardedTrust;
  readonly accessLog: AccessLog | undefined;
  /** Found for each request: the same object for the same route. */
  readonly filtersOf: (route: RoutePlan) => RouteFilters;
  readonly selection: Selection;
}

const empty: IngressPlan = { hosts: new Map(), backends: new Map(), certificates: new Map() };

/** What is done with requests by the built-in engine. */
export function createHandler({ clock, random, log, trust, accessLog, filtersOf, selection }: HandlerGround): Handler {
  const headGround: HeadGround = { trust: addressSet(trust.from), random };
  const upstreams = createUpstreams(clock);
  const carrier: Carrier = {
    clock,
    log,
    accessLog,
    selection,
    upstreams,
    filtersOf,
    mirror: createMirror(log),
    underWay: new Set(),
    plan: empty,
    isDraining: false,
  };

  const begin = (
    { head, origin }: Understood,
    reply: Reply,
    { tls }: Arrival,
    changing: Changing | undefined,
    source: BodySource | undefined,
  ): void => {
    const host = matchHost(carrier.plan, head.host);
    const route = host === undefined ? undefined : guardedRoute(host, head.path, pathOf(head));
    const exchange = new HttpExchange(carrier, {
      head,
      origin,
      reply,
      tls,
      changing,
      trailers: source === undefined ? undefined : () => source.trailers,
    });
    const body =
      source === undefined
        ? undefined
        : new RequestBody(source, route?.settings.maximumBody, () => exchange.tooLarge());
    try {
      exchange.start(route, body);
    } catch (error) {
      log.error({ route: route?.id, error }, "a request has met a fault of ours: its connection is cut");
      exchange.cut();
    }
  };
  const answer = (
    request: IncomingMessage | Http2ServerRequest,
    reply: Reply,
    arrival: Arrival,
    changing: Changing | undefined,
    source: BodySource | undefined,
  ): void => {
    const understood = readHead(request, arrival, headGround);
    if (typeof understood !== "string") begin(understood, reply, arrival, changing, source);
    else refuse(reply, arrival, understood, request.method, request.url, request.httpVersion as "1.1");
  };
  const refuse = (
    reply: Reply,
    arrival: Arrival,
    why: string,
    method: string | undefined,
    target: string | undefined,
    version: "1.0" | "1.1" | "2.0",
  ): void => {
    log.debug({ client: arrival.client, why }, "a request was refused: it cannot be understood");
    const { headers, body } = page(400, undefined);
    reply.begin(400, version === "2.0" ? { ...headers } : { ...headers, connection: "close" }, "body");
    reply.end(body);
    accessLog?.({
      at: clock.now(),
      duration: 0,
      client: arrival.client,
      protocol: `HTTP/${version}`,
      tls: arrival.tls,
      method: method ?? "",
      host: "",
      target: target ?? "",
      status: 400,
      received: 0,
      sent: body.length,
      userAgent: undefined,
      referer: undefined,
      requestId: requestIdOf({}, random),
      route: undefined,
      backend: undefined,
    });
  };

  return {
    request(request, response, arrival) {
      answer(request, replyOf(response), arrival, undefined, hasBody(request) ? request : undefined);
    },
    upgrade(request, socket, first, arrival) {
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as Socket);
      // Whatever is answered but a change of protocol is the last on this connection.
      response.on("finish", () => (socket as Socket).destroySoon());
      socket.on("error", () => {});
      const reply = new Http1Reply(response);
      // Where a body would end, nobody on the way can say who reads on.
      if (hasBody(request)) {
        refuse(reply, arrival, "an Upgrade with a body", request.method, request.url, "1.1");
        return;
      }
      const protocol = upgradeOf(request.headers as { connection?: string; upgrade?: string });
      const changing = protocol === undefined ? undefined : changingSocket(protocol, socket, response, first);
      answer(request, reply, arrival, changing, undefined);
    },
    connect(stream, headers, arrival) {
      const reply = new Http2Reply(stream);
      const protocol = headers[":protocol"];
      const understood = readConnectHead(headers, arrival, headGround);
      if (typeof understood === "string" || typeof protocol !== "string") {
        const why = typeof understood === "string" ? understood : "CONNECT without a protocol";
        refuse(reply, arrival, why, "CONNECT", headers[":path"] as string | undefined, "2.0");
      } else {
        const { head } = understood;
        // A key is what HTTP/1.1 has to see that the other side speaks WebSocket; here nobody checks the answer to it.
        head.headers["sec-websocket-key"] ??= keyOf(random);
        begin(understood, reply, arrival, changingStream(protocol, stream), undefined);
      }
    },
    follow(plan) {
      carrier.plan = plan;
      selection.follow(plan);
      upstreams.follow(plan);
    },
    get underWay() {
      return carrier.underWay.size;
    },
    drain() {
      carrier.isDraining = true;
    },
    close() {
      for (const exchange of carrier.underWay) exchange.cut();
      upstreams.destroy();
      carrier.mirror.destroy();
      return Promise.resolve();
    },
  };
}

/** As it came. */
const pathOf = ({ target, query }: RequestHead): string => target.slice(0, target.length - query.length);

const replyOf = (response: ServerResponse | Http2ServerResponse): Reply =>
  response instanceof ServerResponse ? new Http1Reply(response) : new Http2Reply(response.stream);

function hasBody(request: IncomingMessage | Http2ServerRequest): boolean {
  if ("stream" in request) return !request.stream.endAfterHeaders;
  const { headers } = request;
  if (headers["transfer-encoding"] !== undefined) return true;
  const length = headers["content-length"];
  return length !== undefined && length !== "0";
}

/** 16 bytes in base64 (RFC 6455 §4.1). */
const keyOf = (random: () => number): string =>
  Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256))).toString("base64");
