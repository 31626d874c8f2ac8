import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { constants } from "node:crypto";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Kind } from "../api/kind.ts";
import { systemClock, type Clock } from "../observe/clock.ts";
import { silentLog, type Log } from "../observe/log.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import type { Part } from "../observe/part.ts";
import type { Store } from "../store/store.ts";
import type { Access } from "./access/access.ts";
import { everybodyKnown, inOrder, openPaths, superuser } from "./access/authorizer.ts";
import type { Admission } from "./admission/admission.ts";
import { namespaceLifecycle } from "./admission/namespace-lifecycle.ts";
import { serviceEndpoints } from "./admission/service-endpoints.ts";
import { WatchCache } from "./cache/watch-cache.ts";
import type { Claims } from "./claims/claims.ts";
import { createConsistency } from "./consistency.ts";
import type { Context } from "./context.ts";
import { handle, handleUpgrade } from "./handle.ts";
import { objectMetrics } from "./metrics/object-metrics.ts";
import { processMetrics } from "./metrics/process-metrics.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import type { TokenAuthenticator } from "./identity/authenticate.ts";
import { InFlight, type InFlightLimits } from "./http/in-flight.ts";
import { KindIndex } from "./route.ts";
import type { Streams } from "./streams.ts";
import { Turns } from "./turns.ts";
import { createTokenAuthority, type TokenAuthorityOptions } from "./tokens/authority.ts";
import { lastUsedMarker } from "./tokens/last-used.ts";
import { objectsInMemory, tokenJudge } from "./tokens/token-judge.ts";

/**
 * Milliseconds that an HTTP/1.1 connection is kept without a request: longer than the ten seconds in which a quiet client asks again, as
 * a node renews its lease and a watch asks for a sign of life. Each would be another TLS handshake.
 */
const KEPT_FOR = 30_000;

/** PEM texts: the server's own key and certificate, and the authority whose client certificates are believed. */
export interface ServerTls {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

export interface ApiServerOptions {
  readonly store: Store;
  readonly kinds: readonly Kind[];
  readonly tls: ServerTls;
  /** Absent: nothing is claimed. */
  readonly claims?: Claims;
  /** Absent: logs, exec and the like answer 503. */
  readonly streams?: Streams;
  /** Asked in this order who a bearer token speaks for. */
  readonly tokens?: readonly TokenAuthenticator[];
  /** By what ServiceAccounts' tokens are made and believed; absent: by a key that nobody else has. */
  readonly serviceAccountTokens?: TokenAuthorityOptions;
  /** Who may do what, beside the superuser; absent: everybody known may do everything, and the others see health and version. */
  readonly access?: (cache: WatchCache) => Access;
  /** Rules over writes beside those that every server has. */
  readonly admissions?: readonly Admission[];
  /** What `/version` says as `gitVersion`. */
  readonly version?: string;
  readonly clock?: Clock;
  /** That many random bytes, for UIDs and generated names. */
  readonly random?: (length: number) => Uint8Array;
  readonly log?: Log;
  /** Called once everything stored has been read. */
  readonly loaded?: (context: Context) => Promise<void>;
  /** Changes of each resource remembered for watches that start in the past. */
  readonly remembered?: number;
  /** Requests that may be under way at the same time. */
  readonly inFlight?: InFlightLimits;
  /** What requests are answered from; not started yet. Absent: one of its own. */
  readonly cache?: WatchCache;
  /** What `/metrics` tells beside what every server counts. */
  readonly metrics?: Metrics;
  /** What the server does of its own accord, from its first `listen` until it closes. */
  readonly upkeep?: (context: Context) => Promise<Part>;
}

/** Where to listen: an address, or the path of a Unix socket (TLS is spoken there too). */
export type ListenAt = { readonly host: string; readonly port: number } | { readonly path: string };

export interface ApiServer {
  /** May be called several times. Resolves with the port that was taken, 0 for a Unix socket. */
  listen(at: ListenAt): Promise<number>;
  /** New connections are answered with this certificate from now on. */
  renew(tls: ServerTls): void;
  /** Ends watches well, waits a moment for requests under way, then closes every connection. The store stays open. */
  close(): Promise<void>;
}

const VERSION = "v1.36.2+fairlead.0";
/** Bytes of all headers of a request, the URL among them. */
const MAXIMUM_HEADERS = 64 * 1024;
/** Streams one HTTP/2 client may have open: watches above all. */
const MAXIMUM_STREAMS = 1000;
const CLOSE_PATIENCE_MS = 2000;

const RANDOM_POOL = 4096;

/** Random bytes taken from the system many at a time: a call for each new object would cost more than all else of its UID. */
function pooledRandom(): (length: number) => Uint8Array {
  let pool = randomBytes(RANDOM_POOL);
  return (length) => {
    if (length > pool.length) pool = randomBytes(Math.max(RANDOM_POOL, length));
    const taken = pool.subarray(0, length);
    pool = pool.subarray(length);
    return taken;
  };
}

const UNNAMED: TokenAuthorityOptions = {
  issuers: ["https://kubernetes.default.svc"],
  jwksUri: "https://kubernetes.default.svc/openid/v1/jwks",
};

const nothingClaimed: Claims = {
  claim: async ({ next }) => ({ object: next, conditions: [], operations: [] }),
};

/** What a client hears whose bytes are no request, too many headers, or come too slowly. */
const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

function refusal({ code = "" }: NodeJS.ErrnoException): string {
  const words = REFUSALS[code] ?? "400 Bad Request";
  return `HTTP/1.1 ${words}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${words}`;
}

const secureOptions = (tls: ServerTls) => ({
  ...tls,
  requestCert: true,
  rejectUnauthorized: false,
  // A resumed session would be believed without its certificate being looked at again.
  secureOptions: constants.SSL_OP_NO_TICKET,
  minVersion: "TLSv1.2" as const,
});

/**
 * The store as the Kubernetes API. Resolves once everything stored has been read; nothing listens yet.
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  const closing = new AbortController();
  const cache =
    options.cache ??
    new WatchCache({
      store: options.store,
      kinds: options.kinds,
      clock,
      log,
      ...(options.remembered === undefined ? {} : { remembered: options.remembered }),
    });
  const kinds = new KindIndex(options.kinds);
  const tokens = createTokenAuthority(options.serviceAccountTokens ?? UNNAMED);
  const used = lastUsedMarker(() => context);
  const access = options.access?.(cache);
  const metrics = options.metrics ?? createMetrics();
  objectMetrics(metrics, kinds, cache);
  processMetrics(metrics);
  const context: Context = {
    store: options.store,
    cache,
    consistency: createConsistency({ store: options.store, cache, clock, log }),
    kinds,
    claims: options.claims ?? nothingClaimed,
    admissions: [namespaceLifecycle, serviceEndpoints, ...(access?.admissions ?? []), ...(options.admissions ?? [])],
    turns: new Turns(),
    authorizer: inOrder([superuser, ...(access?.authorizers ?? [openPaths, everybodyKnown])]),
    inFlight: new InFlight(options.inFlight),
    tokens,
    judgeToken: tokenJudge(options.tokens ?? [], tokens, objectsInMemory(kinds, cache), clock, used),
    clock,
    random: options.random ?? pooledRandom(),
    log,
    metrics,
    requests: new RequestMetrics(metrics, kinds),
    streams: options.streams,
    closing: closing.signal,
  };
  const settings = { version: options.version ?? VERSION };
  await cache.start();
  await options.loaded?.(context);

  const servers = new Set<Http2SecureServer>();
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  /** HTTP/1.1 connections, and how many requests of each are under way. */
  const busy = new Map<TLSSocket, number>();
  let { tls } = options;
  let upkeep: Promise<Part | undefined> | undefined;
  const startUpkeep = (): void => {
    upkeep ??= options.upkeep?.(context).catch((error: unknown) => {
      log.error(
        { error: error instanceof Error ? error.stack : String(error) },
        "the server's own upkeep did not start",
      );
      return undefined;
    });
  };

  /** Ends an HTTP/1.1 connection that only waits for a next request: its client has nobody to tell it. */
  const endIdle = (socket: TLSSocket): void => {
    if (closing.signal.aborted && busy.get(socket) === 0) socket.destroySoon();
  };
  const follow = (request: { readonly httpVersionMajor: number }, answer: ServerResponse, socket: TLSSocket): void => {
    if (request.httpVersionMajor !== 1) return;
    if (closing.signal.aborted) answer.shouldKeepAlive = false;
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    answer.once("close", () => {
      const left = busy.get(socket);
      if (left === undefined) return;
      busy.set(socket, left - 1);
      endIdle(socket);
    });
  };

  const open = (): Http2SecureServer => {
    const server = createSecureServer({
      ...secureOptions(tls),
      allowHTTP1: true,
      maxHeaderSize: MAXIMUM_HEADERS,
      maxHeaderListPairs: 128,
      keepAliveTimeout: KEPT_FOR,
      settings: {
        maxConcurrentStreams: MAXIMUM_STREAMS,
        maxHeaderListSize: MAXIMUM_HEADERS,
        enableConnectProtocol: false,
      },
    } as Parameters<typeof createSecureServer>[0]);
    server.on("request", (request, answer) => {
      const socket = tlsOf(request);
      follow(request, answer as unknown as ServerResponse, socket);
      void handle(context, settings, request, answer, socket);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // It speaks another protocol from now on, and ends with its streams.
      busy.delete(socket as TLSSocket);
      void handleUpgrade(context, request, socket as TLSSocket, head);
    });
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    server.on("secureConnection", (socket: TLSSocket) => {
      if (socket.alpnProtocol === "h2") return;
      busy.set(socket, 0);
      socket.once("close", () => busy.delete(socket));
      endIdle(socket);
    });
    server.on("session", (session) => {
      sessions.add(session);
      // It was still greeting when all others were told.
      if (closing.signal.aborted) session.close();
      session.once("close", () => sessions.delete(session));
    });
    // A client that speaks no TLS, or breaks off: its own affair.
    server.on("tlsClientError", (error) => log.debug({ error: error.message }, "a client's TLS handshake failed"));
    server.on("sessionError", (error) => log.debug({ error: error.message }, "an HTTP/2 connection failed"));
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
      log.debug({ error: error.message }, "a client sent no HTTP");
      if (socket.writable) socket.end(refusal(error));
      else socket.destroy();
    });
    return server;
  };

  return {
    listen: (at) =>
      new Promise((resolve, reject) => {
        const server = open();
        server.once("error", reject);
        server.listen(at, () => {
          server.off("error", reject);
          server.on("error", (error) => log.error({ error: error.message }, "a listening socket failed"));
          servers.add(server);
          startUpkeep();
          const address = server.address();
          resolve(typeof address === "object" && address !== null ? address.port : 0);
        });
      }),
    renew: (next) => {
      tls = next;
      for (const server of servers) server.setSecureContext(secureOptions(next));
    },
    close: async () => {
      closing.abort();
      const ended = upkeep?.then((part) => part?.stop());
      const closed = [...servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const session of sessions) session.close();
      const cancel = clock.after(CLOSE_PATIENCE_MS, () => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      });
      for (const socket of busy.keys()) endIdle(socket);
      await Promise.all(closed);
      cancel();
      await ended;
      context.consistency.close();
      cache.close();
    },
  };
}

/** The TLS connection a request came by; for HTTP/2 that of its session. */
function tlsOf(request: {
  socket?: unknown;
  stream?: { session?: { socket?: unknown } | undefined } | undefined;
}): TLSSocket {
  return (request.stream?.session?.socket ?? request.socket) as TLSSocket;
}
