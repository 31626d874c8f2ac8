import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  Agent,
  request as plainRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import {
  connect as http2Connect,
  type ClientHttp2Session,
  type ClientSessionOptions,
  type SecureClientSessionOptions,
} from "node:http2";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { connect as tlsConnect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { WebSocket, type ClientOptions } from "ws";
import type { Behaviour, Seen } from "./behaviour.ts";

/** Where a client goes: an address of a door. */
export interface Place {
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface Asking {
  readonly host?: string;
  /** With its query; sent as it is. */
  readonly path?: string;
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string;
  /** What pods are to do with it. */
  readonly how?: Behaviour;
  readonly agent?: Agent;
  /** Milliseconds after which it is given up. */
  readonly patience?: number;
  /** In SNI; the host unless given. `""`: none. */
  readonly serverName?: string;
  readonly localAddress?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
  readonly text: string;
  /** `Link` of each answer of 103 before. */
  readonly hints: readonly string[];
  /** `x-pod`: who answered. */
  readonly pod: string | undefined;
  /** What the pod saw, where it says so. */
  readonly seen: Seen;
  readonly reused: boolean;
  /** `Name=Value` of what is set, and attributes. */
  readonly cookies: readonly SetCookie[];
}

const PATIENCE = 30_000;

/** Header `x-do` for a behaviour. */
export const doing = (how: Behaviour | undefined): Record<string, string> =>
  how === undefined ? {} : { "x-do": JSON.stringify(how) };

/** Begins a request; the caller writes its body and ends it. */
export function begin(place: Place, asking: Asking): ClientRequest {
  const { host = "localhost", path = "/", method = "GET", headers = {}, how, agent, patience = PATIENCE } = asking;
  const options = {
    host: place.address,
    port: place.port,
    path,
    method,
    setDefaultHeaders: true,
    headers: { host, ...doing(how), ...headers },
    agent: agent ?? (false as const),
    timeout: patience,
    maxHeaderSize: 1 << 20,
    ...(asking.localAddress === undefined ? {} : { localAddress: asking.localAddress }),
  };
  const made = place.tls
    ? tlsRequest({
        ...options,
        agent: agent ?? false,
        servername: asking.serverName ?? host.replace(/:\d+$/, ""),
        rejectUnauthorized: false,
      })
    : plainRequest(options);
  made.on("timeout", () => made.destroy(new Error(`no answer from ${host}${path} within ${patience} ms`)));
  return made;
}

/** The answer to a request that was begun, whole. */
export async function answerTo(request: ClientRequest): Promise<Answered> {
  const hints: string[] = [];
  request.on("information", (info: { headers: IncomingHttpHeaders }) => {
    const { link } = info.headers;
    if (link !== undefined) hints.push(String(link));
  });
  const responded = once(request, "response");
  // What breaks after the head is the body's failure.
  request.on("error", () => undefined);
  const [response] = (await responded) as [IncomingMessage];
  const body = await buffer(response);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    trailers: response.trailers,
    body,
    get text() {
      return body.toString();
    },
    hints,
    pod: response.headers["x-pod"] as string | undefined,
    get seen() {
      try {
        return JSON.parse(body.toString()) as Seen;
      } catch {
        throw new Error(`not a pod's own answer, but ${response.statusCode}: ${body.toString().slice(0, 200)}`);
      }
    },
    reused: request.reusedSocket,
    cookies: (response.headers["set-cookie"] ?? []).map(parseSetCookie),
  };
}

/** Asks over a connection of its own, unless an agent is given. */
export async function ask(place: Place, asking: Asking = {}): Promise<Answered> {
  const request = begin(place, asking);
  const answered = answerTo(request);
  request.end(asking.body);
  return answered;
}

/** One connection, kept. */
export const keptAgent = (place: Place, sockets = 1): Agent =>
  place.tls
    ? new TlsAgent({ keepAlive: true, maxSockets: sockets, rejectUnauthorized: false })
    : new Agent({ keepAlive: true, maxSockets: sockets });

export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** By name in lower case; `true` where it has no value. */
  readonly attributes: Readonly<Record<string, string | true>>;
}

export function parseSetCookie(text: string): SetCookie {
  const [first = "", ...rest] = text.split(/; */);
  const at = first.indexOf("=");
  return {
    name: first.slice(0, at),
    value: first.slice(at + 1),
    attributes: Object.fromEntries(
      rest.map((each) => {
        const equals = each.indexOf("=");
        return equals < 0 ? [each.toLowerCase(), true] : [each.slice(0, equals).toLowerCase(), each.slice(equals + 1)];
      }),
    ),
  };
}

/** Keeps cookies of one host as a browser does, as far as their paths go. */
export interface CookieJar {
  /** Takes what an answer sets; answers the answer. */
  take(answered: Answered, path?: string): Answered;
  /** Header `cookie` for a path; nothing where there is none. */
  header(path?: string): { cookie?: string };
  value(name: string): string | undefined;
}

export function createJar(): CookieJar {
  const cookies = new Map<string, SetCookie>();
  const pathOf = (cookie: SetCookie): string => {
    const { path } = cookie.attributes;
    return typeof path === "string" ? path : "/";
  };
  const fits = (cookiePath: string, path: string): boolean =>
    path === cookiePath ||
    (path.startsWith(cookiePath) && (cookiePath.endsWith("/") || path[cookiePath.length] === "/"));
  return {
    take(answered) {
      for (const cookie of answered.cookies) cookies.set(`${cookie.name} ${pathOf(cookie)}`, cookie);
      return answered;
    },
    header(path = "/") {
      const fitting = [...cookies.values()].filter((cookie) => fits(pathOf(cookie), path));
      return fitting.length === 0 ? {} : { cookie: fitting.map(({ name, value }) => `${name}=${value}`).join("; ") };
    },
    value: (name) => [...cookies.values()].find((cookie) => cookie.name === name)?.value,
  };
}

/** A connection of bytes, and what came over it so far. */
export interface RawConnection {
  readonly socket: Socket | TLSSocket;
  /** Latin 1. */
  readonly received: string;
  /** The other side has ended or reset it. */
  readonly isOver: boolean;
  write(text: string | Buffer): void;
  /** Waits until what came has this in it; rejects when it is over before. */
  has(text: string | RegExp, patience?: number): Promise<string>;
  /** Waits until it is over. */
  over(patience?: number): Promise<string>;
  close(): void;
}

export async function openRaw(place: Place, options: ConnectionOptions = {}): Promise<RawConnection> {
  const socket = place.tls
    ? tlsConnect({ host: place.address, port: place.port, rejectUnauthorized: false, ...options })
    : connect({ host: place.address, port: place.port });
  let received = "";
  let isOver = false;
  const watchers = new Set<() => void>();
  const tell = (): void => watchers.forEach((watcher) => watcher());
  socket.on("data", (piece: Buffer) => {
    received += piece.toString("latin1");
    tell();
  });
  for (const event of ["end", "close", "error"]) {
    socket.on(event, () => {
      isOver = true;
      tell();
    });
  }
  await once(socket, place.tls ? "secureConnect" : "connect");
  const wait = async (what: string, patience: number, done: () => boolean | Error): Promise<string> =>
    new Promise((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        watchers.delete(look);
        if (error === undefined) resolve(received);
        else reject(error);
      };
      const look = (): void => {
        const answer = done();
        if (answer instanceof Error) finish(answer);
        else if (answer) finish();
      };
      const timer = setTimeout(
        () =>
          finish(new Error(`waited ${patience} ms for ${what}; what came: ${JSON.stringify(received.slice(0, 400))}`)),
        patience,
      );
      watchers.add(look);
      look();
    });
  return {
    socket,
    get received() {
      return received;
    },
    get isOver() {
      return isOver;
    },
    write: (text) => void socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text),
    has: async (text, patience = PATIENCE) =>
      wait(String(text), patience, () => {
        if (typeof text === "string" ? received.includes(text) : text.test(received)) return true;
        return isOver
          ? new Error(`over before ${String(text)} came; what came: ${JSON.stringify(received.slice(0, 400))}`)
          : false;
      }),
    over: async (patience = PATIENCE) => wait("the end of the connection", patience, () => isOver),
    close: () => socket.destroy(),
  };
}

/** What is answered to these bytes until the connection is over. */
export async function rawExchange(place: Place, text: string | Buffer, patience = PATIENCE): Promise<string> {
  const connection = await openRaw(place);
  connection.write(text);
  try {
    return await connection.over(patience);
  } finally {
    connection.close();
  }
}

/** The certificate that is shown for a name, and the protocol that is agreed on. */
export async function handshake(
  place: Place,
  options: ConnectionOptions = {},
): Promise<{ readonly certificate: PeerCertificate; readonly alpn: string | false; readonly protocol: string | null }> {
  const socket = tlsConnect({ host: place.address, port: place.port, rejectUnauthorized: false, ...options });
  try {
    await once(socket, "secureConnect");
    return {
      certificate: socket.getPeerCertificate(),
      alpn: socket.alpnProtocol ?? false,
      protocol: socket.getProtocol(),
    };
  } finally {
    socket.destroy();
  }
}

const hosts = new WeakMap<ClientHttp2Session, string>();

/** A session of HTTP/2; without TLS by prior knowledge. */
export async function openHttp2(
  place: Place,
  host: string,
  options: ClientSessionOptions | SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = http2Connect(`${place.tls ? "https" : "http"}://${host}`, {
    rejectUnauthorized: false,
    ...options,
    createConnection: () =>
      place.tls
        ? tlsConnect({
            host: place.address,
            port: place.port,
            servername: host,
            ALPNProtocols: ["h2"],
            rejectUnauthorized: false,
          })
        : connect({ host: place.address, port: place.port }),
  });
  await once(session, "connect");
  session.on("error", () => undefined);
  hosts.set(session, host);
  return session;
}

export interface Http2Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly seen: Seen;
}

/** Asks by a session. */
export async function askHttp2(session: ClientHttp2Session, asking: Asking = {}): Promise<Http2Answered> {
  const { path = "/", method = "GET", headers = {}, host = hosts.get(session), how, body } = asking;
  const stream = session.request(
    {
      ":path": path,
      ":method": method,
      ...(host === undefined ? {} : { ":authority": host }),
      ...doing(how),
      ...headers,
    },
    { endStream: body === undefined && !["POST", "PUT", "PATCH"].includes(method) },
  );
  stream.setTimeout(asking.patience ?? PATIENCE, () => stream.destroy(new Error(`no answer from ${path} by HTTP/2`)));
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (given: IncomingHttpHeaders) => (trailers = given));
  const response = once(stream, "response");
  if (body !== undefined || ["POST", "PUT", "PATCH"].includes(method)) stream.end(body);
  const [given] = (await response) as [IncomingHttpHeaders & { ":status"?: number }];
  const whole = await buffer(stream);
  return {
    status: given[":status"] ?? 0,
    headers: given,
    trailers,
    body: whole,
    get seen() {
      return JSON.parse(whole.toString()) as Seen;
    },
  };
}

/** An open WebSocket. Rejects with the status where it is refused. */
export async function openWebSocket(
  place: Place,
  {
    host = "localhost",
    path = "/",
    headers = {},
    how,
    protocols = [],
    ...options
  }: Pick<Asking, "host" | "path" | "how"> & {
    headers?: Record<string, string>;
    protocols?: string[];
  } & Pick<ClientOptions, "perMessageDeflate">,
): Promise<WebSocket & { upgradeHeaders: IncomingHttpHeaders }> {
  const socket = new WebSocket(`${place.tls ? "wss" : "ws"}://${place.address}:${place.port}${path}`, protocols, {
    headers: { host, ...doing(how), ...headers },
    ...(place.tls ? { servername: host, rejectUnauthorized: false } : {}),
    perMessageDeflate: options.perMessageDeflate ?? false,
    handshakeTimeout: PATIENCE,
  });
  let upgradeHeaders: IncomingHttpHeaders = {};
  socket.on("upgrade", (response) => (upgradeHeaders = response.headers));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("unexpected-response", (_request, response) => {
      response.resume();
      reject(new Error(`refused with ${response.statusCode}`));
    });
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  return Object.assign(socket, { upgradeHeaders });
}

/** The next message, as text. */
export async function said(socket: WebSocket, text: string | Buffer): Promise<string> {
  const answer = once(socket, "message", { signal: AbortSignal.timeout(PATIENCE) });
  socket.send(text);
  const [data] = (await answer) as [Buffer];
  return data.toString();
}

const run = promisify(execFile);

/** What curl prints for these arguments; `url` is of the host, and goes to the place. */
export async function curl(place: Place, url: string, ...args: string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const asked = port === "" ? (url.startsWith("https") ? "443" : "80") : port;
  const { stdout } = await run(
    "curl",
    [
      "-sS",
      "-k",
      "--max-time",
      "30",
      "--connect-to",
      `${hostname}:${asked}:${place.address}:${place.port}`,
      ...args,
      url,
    ],
    { maxBuffer: 1 << 26 },
  );
  return stdout;
}
