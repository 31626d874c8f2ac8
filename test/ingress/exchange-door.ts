import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type Http2ServerRequest } from "node:http2";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { Exchange } from "../../src/ingress/access-log.ts";
import { createHandler } from "../../src/ingress/engines/builtin/exchange/create-handler.ts";
import type { Arrival, Handler } from "../../src/ingress/engines/builtin/handler.ts";
import type { RouteFilters } from "../../src/ingress/filters/filters.ts";
import type {
  BackendPlan,
  BackendSettings,
  CookieAffinity,
  EndpointPlan,
  IngressPlan,
  RoutePlan,
} from "../../src/ingress/plan/plan.ts";
import { createSelection } from "../../src/ingress/selection/create-selection.ts";
import { usualSettings } from "../../src/ingress/settings/defaults.ts";
import type { RouteSettings } from "../../src/ingress/settings/settings.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog, type Log } from "../../src/observe/log.ts";
import type { Place } from "./lab/clients.ts";

/** Settings of a route whose annotations say nothing, and whose host has no TLS. */
export const plainSettings: RouteSettings = { ...usualSettings, httpsRedirect: undefined };

/** Where a backend's endpoints are: ports of 127.0.0.1, or whole ones. */
export type Endpoints = readonly (number | Partial<EndpointPlan>)[];

export interface DoorChoices {
  /** Of backend `shop/web:80`, which `a.example` is sent to. */
  readonly endpoints: Endpoints;
  readonly settings?: Partial<RouteSettings>;
  readonly backend?: Partial<BackendSettings>;
  readonly affinity?: CookieAffinity;
  /** Others, by their id. */
  readonly others?: Readonly<Record<string, Endpoints>>;
}

export function planFor({ endpoints, settings, backend, affinity, others = {} }: DoorChoices): IngressPlan {
  const made = (id: string, some: Endpoints): BackendPlan => ({
    id,
    namespace: "shop",
    service: id.slice(id.indexOf("/") + 1, id.indexOf(":")),
    port: id.slice(id.indexOf(":") + 1),
    settings: { protocol: "HTTP", tls: undefined, balance: { algorithm: "round-robin" }, ...backend },
    endpoints: some.map((one): EndpointPlan => {
      const port = typeof one === "number" ? one : one.port!;
      const plain = { key: `pod-${port}`, address: "127.0.0.1", port, tokens: [`token-${port}`] };
      return { ...plain, state: "serving", weight: 100, ...(typeof one === "number" ? {} : one) };
    }),
  });
  const route: RoutePlan = {
    id: "shop/web a.example prefix:/",
    ingress: { namespace: "shop", name: "web" },
    host: "a.example",
    match: { type: "prefix", path: "" },
    path: "/",
    settings: { ...plainSettings, ...settings },
    backend: "shop/web:80",
    affinity,
    canaries: [],
  };
  const all = [made("shop/web:80", endpoints), ...Object.entries(others).map(([id, some]) => made(id, some))];
  return {
    hosts: new Map([["a.example", { host: "a.example", routes: [route] }]]),
    backends: new Map(all.map((one) => [one.id, one])),
    certificates: new Map(),
  };
}

/** The built-in engine's exchanges behind plain servers of Node. */
export interface ExchangeDoor {
  readonly handler: Handler;
  readonly place: Place;
  /** HTTP/2 without TLS. */
  readonly second: Place;
  /** What was logged. */
  readonly log: Exchange[];
  follow(choices: DoorChoices): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DoorGround {
  readonly filters?: RouteFilters;
  readonly trust?: readonly string[];
  readonly log?: Log;
}

export async function openDoor(
  choices: DoorChoices,
  { filters = {}, trust = [], log = silentLog }: DoorGround = {},
): Promise<ExchangeDoor> {
  const exchanges: Exchange[] = [];
  const handler = createHandler({
    clock: systemClock,
    random: Math.random,
    log,
    trust: { from: trust },
    accessLog: (exchange) => void exchanges.push(exchange),
    filtersOf: () => filters,
    selection: createSelection({ clock: systemClock, random: Math.random }),
  });
  handler.follow(planFor(choices));
  const arrival = (socket: Socket | undefined): Arrival => ({
    client: socket?.remoteAddress ?? "",
    clientPort: socket?.remotePort ?? 0,
    tls: false,
    serverName: undefined,
    port: 80,
  });
  const first = createServer({ maxHeaderSize: 1 << 17 });
  first.on("request", (request, response) => handler.request(request, response, arrival(request.socket)));
  first.on("checkContinue", (request, response) => handler.request(request, response, arrival(request.socket)));
  first.on("upgrade", (request, socket, head) =>
    handler.upgrade(request, socket, head, arrival(socket as unknown as Socket)),
  );
  const second = createHttp2Server({ settings: { enableConnectProtocol: true } });
  second.on("request", (request, response) => handler.request(request, response, arrival(request.socket)));
  second.on("checkContinue", (request, response) => handler.request(request, response, arrival(request.socket)));
  second.on("connect", (request: Http2ServerRequest) => {
    handler.connect(request.stream, request.headers, arrival(request.socket));
  });
  const sockets = new Set<Socket>();
  const places = await Promise.all([first, second].map((server) => placeOf(server, sockets)));
  return {
    handler,
    place: places[0]!,
    second: places[1]!,
    log: exchanges,
    follow: (next) => handler.follow(planFor(next)),
    async [Symbol.asyncDispose]() {
      await handler.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([first, second].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function placeOf(server: Server | Http2Server, sockets: Set<Socket>): Promise<Place> {
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { address: "127.0.0.1", port: (server.address() as AddressInfo).port, tls: false };
}

/** A server of a test's own, ended with it. */
export interface Endpoint {
  readonly port: number;
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** How many connections there were. */
  readonly connections: number;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function endpoint(server: NetServer | Server | Http2Server, port = 0): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    get connections() {
      return connections;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
