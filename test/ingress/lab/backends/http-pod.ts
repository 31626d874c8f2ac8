import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import type { Behaviour, PodSpecification } from "../behaviour.ts";
import { connectionsOf, type Journal, type RunningPod } from "./running-pod.ts";

type Noted = ReturnType<Journal["note"]>;

const PIECE = Buffer.alloc(65536, "0123456789abcdef");
/** More than any test sends: pods are not what is tested. */
const HEADER_BYTES = 1 << 20;

function behaviourOf(request: IncomingMessage, pod: PodSpecification): Behaviour {
  const header = request.headers["x-do"];
  const text = typeof header === "string" ? header : new URL(request.url ?? "/", "http://pod").searchParams.get("do");
  if (text === null) return {};
  const behaviour = JSON.parse(text) as Behaviour;
  return behaviour.pods === undefined || behaviour.pods.includes(pod.name) ? behaviour : {};
}

const pairs = (raw: readonly string[]): [string, string][] => {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) found.push([raw[i]!, raw[i + 1]!]);
  return found;
};

/** Writes, and waits until there is room for more; false when the client is gone. */
async function write(response: ServerResponse, piece: Buffer | string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(piece)) return true;
  const gone = new AbortController();
  await Promise.race([
    once(response, "drain", { signal: gone.signal }).catch(() => undefined),
    once(response, "close", { signal: gone.signal }).catch(() => undefined),
  ]);
  gone.abort();
  return !response.destroyed;
}

/** A pod that speaks HTTP/1.1, with TLS or without, and WebSocket. */
export async function openHttpPod(pod: PodSpecification, journal: Journal): Promise<RunningPod> {
  const options = { maxHeaderSize: HEADER_BYTES, keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  const server =
    pod.protocol === "https"
      ? createTlsServer({
          ...options,
          cert: pod.certificate,
          key: pod.key,
          ...(pod.clientCa === undefined ? {} : { ca: pod.clientCa, requestCert: true, rejectUnauthorized: true }),
        })
      : createServer(options);
  const connections = connectionsOf(server);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1 << 27, perMessageDeflate: false });

  const note = (request: IncomingMessage): Noted => {
    const socket = request.socket as Socket & Partial<TLSSocket> & { _parent?: Socket; servername?: string };
    const subject = pod.clientCa === undefined ? undefined : socket.getPeerCertificate?.()?.subject?.CN;
    return journal.note({
      pod: pod.name,
      uid: pod.uid,
      connection: connections.numberOf(socket._parent ?? socket),
      method: request.method ?? "",
      target: request.url ?? "",
      version: request.httpVersion,
      headers: pairs(request.rawHeaders),
      trailers: {},
      length: 0,
      sha256: "",
      serverName: socket.servername,
      peer: typeof subject === "string" ? subject : undefined,
      outcome: "under way",
    });
  };

  const body = async (request: IncomingMessage, noted: Noted, { slowRead = 0 }: Behaviour): Promise<void> => {
    const hash: Hash = createHash("sha256");
    for await (const piece of request) {
      noted.length += (piece as Buffer).length;
      hash.update(piece as Buffer);
      if (slowRead > 0) await sleep(slowRead);
    }
    noted.sha256 = hash.digest("hex");
    noted.trailers = request.trailers;
  };

  /** What is reset or cut is done below HTTP, so that nothing is tidied up. */
  const raw = (request: IncomingMessage, text: string, ending: "reset" | "end"): void => {
    const { socket } = request;
    const finish = (): void => {
      if (ending === "end") socket.end();
      else if (pod.protocol === "https") socket.destroy();
      else socket.resetAndDestroy();
    };
    if (text === "") finish();
    // A reset throws away what the other side has not read yet; it is to have the beginning.
    else socket.write(text, "latin1", () => (ending === "end" ? finish() : setTimeout(finish, 30)));
  };

  const respond = async (request: IncomingMessage, response: ServerResponse, noted: Noted, how: Behaviour) => {
    const whole = Buffer.from(
      how.body ??
        (how.bytes !== undefined && how.bytes <= 65536 ? PIECE.subarray(0, how.bytes) : JSON.stringify(noted)),
    );
    const half = whole.subarray(0, Math.floor(whole.length / 2));
    const status = how.status ?? 200;
    if (how.raw !== undefined) return raw(request, how.raw, "end");
    if (how.reset === "before") return raw(request, "", "reset");
    if (how.end === "before") return raw(request, "", "end");
    if (how.reset === "in-head") return raw(request, `HTTP/1.1 ${status} OK\r\ncontent-ty`, "reset");
    const cut = `HTTP/1.1 ${status} OK\r\ncontent-type: text/plain\r\ncontent-length: ${how.contentLength ?? whole.length}\r\n\r\n${half.toString("latin1")}`;
    if (how.reset === "in-body") return raw(request, cut, "reset");
    if (how.end === "in-body") return raw(request, cut, "end");

    for (const { link } of how.early ?? []) response.writeEarlyHints({ link });
    response.statusCode = status;
    response.sendDate = true;
    for (const [name, value] of how.headers ?? []) response.appendHeader(name, value);
    response.setHeader("x-pod", pod.name);
    if (how.largeHeader !== undefined) response.setHeader("x-large", "x".repeat(how.largeHeader));
    if (!response.hasHeader("content-type") && status !== 204 && status !== 304) {
      response.setHeader("content-type", how.body === undefined ? "application/json" : "text/plain");
    }
    if (how.close === true) response.setHeader("connection", "close");
    if (how.trailers !== undefined) response.setHeader("trailer", Object.keys(how.trailers).join(", "));
    const isChunked =
      how.chunked === true || how.trailers !== undefined || how.echo === true || how.events !== undefined;

    if (how.events !== undefined) {
      response.setHeader("content-type", "text/event-stream");
      response.setHeader("cache-control", "no-cache");
      response.flushHeaders();
      for (let i = 0; i < how.events; i++) {
        await journal.released(`event-${i}`);
        if (!(await write(response, `data: ${i}\n\n`))) return;
      }
      return void response.end();
    }
    if (how.echo === true) {
      response.flushHeaders();
      const hash = createHash("sha256");
      for await (const piece of request) {
        noted.length += (piece as Buffer).length;
        hash.update(piece as Buffer);
        if (!(await write(response, piece as Buffer))) return;
      }
      noted.sha256 = hash.digest("hex");
      if (how.trailers !== undefined) response.addTrailers({ ...how.trailers });
      return void response.end();
    }
    if (status === 204 || status === 304) return void response.end();
    const length = how.contentLength ?? how.bytes ?? whole.length;
    if (!isChunked) response.setHeader("content-length", length);
    if (request.method === "HEAD") return void response.end();
    if (how.bytes !== undefined && how.bytes > 65536) {
      for (let left = how.bytes; left > 0; left -= PIECE.length) {
        if (!(await write(response, left >= PIECE.length ? PIECE : PIECE.subarray(0, left)))) return;
      }
    } else if (how.holdBody !== undefined) {
      await write(response, half);
      await journal.released(how.holdBody);
      await write(response, whole.subarray(half.length));
    } else await write(response, whole);
    if (how.trailers !== undefined) response.addTrailers({ ...how.trailers });
    response.end(() => {
      if (how.reset === "after") setTimeout(() => request.socket.resetAndDestroy(), 5);
    });
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const noted = note(request);
    const how = behaviourOf(request, pod);
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    response.on("close", () => (noted.outcome = response.writableFinished ? "ended" : "aborted"));
    try {
      if (how.unread !== true && how.echo !== true) await body(request, noted, how);
      if (how.delay !== undefined) await sleep(how.delay);
      if (how.hold !== undefined) await journal.released(how.hold);
      await respond(request, response, noted, how);
    } catch {
      noted.outcome = "aborted";
      response.destroy();
    }
  };

  server.on("request", (request: IncomingMessage, response: ServerResponse) => void serve(request, response));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (behaviourOf(request, pod).unread !== true) response.writeContinue();
    void serve(request, response);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const noted = note(request);
    const how = behaviourOf(request, pod);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => (noted.outcome = "ended"));
    if (how.upgrade === "refused") {
      const text = how.body ?? "no upgrade here";
      socket.end(
        `HTTP/1.1 ${how.status ?? 403} Refused\r\nx-pod: ${pod.name}\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
      );
    } else if (how.upgrade === "bare") {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: bare\r\nx-pod: ${pod.name}\r\n\r\n`,
      );
      if (head.length > 0) socket.write(head);
      socket.on("data", (piece) => socket.write(piece));
      socket.on("end", () => socket.end(`bye from ${pod.name}`));
    } else {
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on("error", () => client.terminate());
        client.on("message", (data: Buffer, isBinary) => {
          if (!isBinary && data.toString() === "who") client.send(pod.name);
          else if (!isBinary && data.toString() === "close") client.close(4001, "as you wish");
          else client.send(data, { binary: isBinary });
        });
      });
    }
  });
  sockets.on("headers", (headers) => headers.push(`x-pod: ${pod.name}`));

  server.listen(pod.port, pod.address);
  await once(server, "listening");
  const closed = async (): Promise<void> => {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    connections: () => connections.open.size,
    async end() {
      const ended = closed();
      server.closeIdleConnections();
      await ended;
    },
    async kill() {
      const ended = closed();
      for (const client of sockets.clients) client.terminate();
      for (const socket of connections.open) socket.resetAndDestroy();
      await ended;
    },
  };
}
