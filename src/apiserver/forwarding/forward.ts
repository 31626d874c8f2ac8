import type { IncomingMessage, OutgoingHttpHeaders, RequestOptions } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { ApiError } from "../../api/status.ts";
import type { Exchange } from "../http/exchange.ts";
import { join } from "../stream/join.ts";
import { upgradeHead } from "../stream/upgrade-head.ts";
import { onwardHeaders } from "./headers.ts";
import { seenAddress, seenPage, type Seen } from "./links.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { request: httpRequest } = process.getBuiltinModule("node:http");

/** A connection to the pod's port, made and, for `https`, secured. */
export interface Reached {
  readonly socket: Duplex;
  /** `HOST:PORT` as a URL writes it. */
  readonly host: string;
}

export interface Forwarded extends Reached {
  /** What is asked for there, with its query: `/x?y=z`. */
  readonly path: string;
  /** Where the client sees the root of that server. */
  readonly prefix: string;
}

/** Bytes of a page whose links are rewritten; a larger one goes on as it is. */
const MAXIMUM_PAGE = 8 * 1024 * 1024;

const unreached = (cause: Error): ApiError =>
  new ApiError("ServiceUnavailable", `error trying to reach service: ${cause.message}`, undefined, { cause });

/** The whole body, or undefined with what was read of it when there is more than fits. */
async function readPage(body: Readable): Promise<{ page?: Buffer; start: Buffer }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAXIMUM_PAGE) return { start: Buffer.concat(chunks, length) };
  }
  const page = Buffer.concat(chunks, length);
  return { page, start: page };
}

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** Answers with a page whose links lead through the proxy. */
async function sendPage(
  exchange: Exchange,
  answered: IncomingMessage,
  headers: OutgoingHttpHeaders,
  seen: Seen,
): Promise<void> {
  const { answer } = exchange;
  const coding = answered.headers["content-encoding"]?.toLowerCase() ?? "identity";
  const decode = coding === "identity" ? async (bytes: Buffer) => bytes : DECODERS[coding];
  const { page, start } = await readPage(answered);
  const plain = page === undefined || decode === undefined ? undefined : await decode(page).catch(() => undefined);
  if (plain === undefined) {
    setHeaders(exchange, answered.statusCode ?? 502, headers);
    answer.write(start);
    await pipeline(answered, answer, { signal: exchange.signal });
    return;
  }
  const text = Buffer.from(seenPage(plain.toString("utf8"), seen));
  const { "content-encoding": _, ...rest } = headers;
  setHeaders(exchange, answered.statusCode ?? 502, { ...rest, "content-length": String(text.length) });
  answer.end(text);
}

function setHeaders({ answer }: Exchange, code: number, headers: OutgoingHttpHeaders): void {
  answer.statusCode = code;
  for (const [name, value] of Object.entries(headers)) answer.setHeader(name, value as string | string[]);
}

/**
 * Passes a request on to a pod and its answer back. Absolute links in pages and in `Location` come to lead through the proxy (SVC-209).
 *
 * @throws ApiError ServiceUnavailable when the pod does not answer
 */
export async function forward(exchange: Exchange, to: Forwarded): Promise<void> {
  const { request, method, signal } = exchange;
  const options: RequestOptions = {
    createConnection: () => to.socket,
    method,
    path: to.path,
    signal,
    headers: {
      ...onwardHeaders(request.headers),
      host: to.host,
      "x-forwarded-uri": `${to.prefix}${to.path.split("?", 1)[0]!}`,
      "x-forwarded-host": request.headers.host ?? String(request.headers[":authority"] ?? ""),
      "x-forwarded-proto": "https",
      connection: "close",
    },
  };
  const answered = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = httpRequest(options);
    asked.once("response", resolve);
    asked.once("error", (error) => reject(unreached(error)));
    request.pipe(asked);
    request.once("error", () => asked.destroy());
  });
  // A cut shows at the reader of the body; without a listener it would end us.
  answered.on("error", () => {});
  const seen: Seen = { prefix: to.prefix, host: to.host };
  const headers = onwardHeaders(answered.headers);
  const { location } = answered.headers;
  if (location !== undefined) headers["location"] = seenAddress(location, seen);
  const type = (answered.headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (type === "text/html" && method !== "HEAD" && location === undefined) {
    return sendPage(exchange, answered, headers, seen);
  }
  setHeaders(exchange, answered.statusCode ?? 502, headers);
  (exchange.answer as { flushHeaders?: () => void }).flushHeaders?.();
  await pipeline(answered, exchange.answer, { signal });
}

/** Hands a client's connection that asks for another protocol (WebSocket) to the pod, and passes bytes both ways. */
export async function forwardUpgrade(
  client: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  to: Forwarded,
): Promise<void> {
  to.socket.write(upgradeHead(client.method ?? "GET", to.path, to.host, client.rawHeaders));
  if (head.length > 0) to.socket.write(head);
  await join(socket, to.socket);
}
