import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { systemHost } from "../../src/host/processes.ts";
import type { Exchange } from "../../src/ingress/access-log.ts";
import type { EngineGround, IngressEngine, Listener } from "../../src/ingress/engine.ts";
import { createHaproxyEngine } from "../../src/ingress/engines/haproxy/haproxy.ts";
import type { BackendPlan, EndpointPlan, HostPlan, IngressPlan, RoutePlan } from "../../src/ingress/plan/plan.ts";
import { usualSettings } from "../../src/ingress/settings/defaults.ts";
import type { RouteSettings } from "../../src/ingress/settings/settings.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog, type Log } from "../../src/observe/log.ts";
import { haproxy } from "../lab/haproxy.ts";

/** Settings of a route whose annotations say nothing, and whose host has no TLS. */
export const PLAIN: RouteSettings = { ...usualSettings, httpsRedirect: undefined };

export const endpoint = (name: string, port: number, more: Partial<EndpointPlan> = {}): EndpointPlan => ({
  key: name,
  address: "127.0.0.1",
  port,
  tokens: [`token-${name}`],
  state: "serving",
  weight: 100,
  ...more,
});

export const backend = (
  service: string,
  endpoints: readonly EndpointPlan[],
  settings: Partial<BackendPlan["settings"]> = {},
): BackendPlan => ({
  id: `default/${service}:80`,
  namespace: "default",
  service,
  port: "80",
  settings: { protocol: "HTTP", tls: undefined, balance: { algorithm: "round-robin" }, ...settings },
  endpoints,
});

export function route(
  host: string,
  match: RoutePlan["match"],
  service: string,
  more: Partial<RoutePlan> = {},
): RoutePlan {
  const path = match.type === "regex" ? match.source : match.path || "/";
  return {
    id: `default/i ${host} ${match.type}:${path}`,
    ingress: { namespace: "default", name: "i" },
    host,
    match,
    path,
    settings: PLAIN,
    backend: `default/${service}:80`,
    affinity: undefined,
    canaries: [],
    ...more,
  };
}

export const host = (name: string, ...routes: RoutePlan[]): HostPlan => ({ host: name, routes });

export const plan = (
  hosts: readonly HostPlan[],
  backends: readonly BackendPlan[],
  certificates: IngressPlan["certificates"] = new Map(),
): IngressPlan => ({
  hosts: new Map(hosts.map((one) => [one.host, one])),
  backends: new Map(backends.map((one) => [one.id, one])),
  certificates,
});

export interface Worker {
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

/** A program behind: says its name, and what it was asked; with `hold`, only when that is let go. */
export async function worker(name: string, hold?: (respond: () => void) => void): Promise<Worker> {
  const server = createServer((incoming, response) => {
    response.setHeader("x-worker", name);
    const respond = (): void =>
      void response.end(JSON.stringify({ name, url: incoming.url, headers: incoming.headers }));
    incoming.resume().on("end", () => (hold === undefined ? respond() : hold(respond)));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. */
export const get = (
  port: number,
  hostname: string,
  path = "/",
  headers: Record<string, string> = {},
  method = "GET",
  body?: string,
): Promise<Got> =>
  new Promise((resolve, reject) => {
    const asking = request(
      { host: "127.0.0.1", port, path, method, headers: { host: hostname, ...headers }, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
        response.on("error", reject);
      },
    );
    asking.on("error", reject);
    asking.end(body);
  });

export const HTTP: Listener = { address: "127.0.0.1", port: 0, tls: false, proxyProtocol: false };
export const HTTPS: Listener = { ...HTTP, tls: true };

/** Stands for the engine behind where a test is not about it: it takes every plan. */
export function noEngine(plans: IngressPlan[] = []): (ground: EngineGround) => IngressEngine {
  return () => ({
    name: "builtin",
    async apply(next) {
      plans.push(next);
    },
    listening: [],
    async stop() {},
    failed: new Promise<never>(() => {}),
  });
}

export interface Stand {
  readonly engine: IngressEngine;
  readonly directory: string;
  readonly exchanges: Exchange[];
  readonly port: number;
  readonly tlsPort: number;
}

export async function stand(
  directory: string,
  more: Partial<EngineGround> & { log?: Log; behind?: (ground: EngineGround) => IngressEngine } = {},
): Promise<Stand> {
  const exchanges: Exchange[] = [];
  const engine = createHaproxyEngine({
    host: systemHost(),
    haproxy: haproxy!,
    directory,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    behind: noEngine(),
    listeners: [HTTP, HTTPS],
    trust: { from: [] },
    accessLog: (exchange) => exchanges.push(exchange),
    ...more,
  });
  const portOf = (tls: boolean): number => engine.listening.find((one) => one.tls === tls)!.port;
  return {
    engine,
    directory,
    exchanges,
    get port() {
      return portOf(false);
    },
    get tlsPort() {
      return portOf(true);
    },
  };
}
