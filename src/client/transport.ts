import type * as Http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";
import { ApiError } from "../api/status.ts";
import type { Status } from "../api/generated/types.ts";
import { systemClock } from "../observe/clock.ts";
import type { Connection } from "./connection.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const http = process.getBuiltinModule("node:http");

export interface Request {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to one server over connections it keeps. */
export interface Transport {
  /** The parsed body of the answer. Throws ApiError for what the server refused, a plain Error for what broke on the way. */
  json(request: Request): Promise<unknown>;
  /** The answer with its body yet to come; for watches. The caller ends it by aborting `signal` or reading to the end. */
  stream(request: Request & { readonly signal: AbortSignal }): Promise<Http.IncomingMessage>;
  /** When the server was last heard, by the connection's clock; 0 before. */
  readonly heardAt: number;
  /** Bytes of a stream have come. */
  heard(): void;
  /**
   * Asks for a sign of life, at most once at a time whoever wants one. Any answer is one, whatever it says. Rejects when none comes.
   */
  signOfLife(): Promise<void>;
  close(): void;
}

type Send = (
  request: Request,
  agent: Http.Agent,
  onAnswer: (answer: Http.IncomingMessage) => void,
) => Http.ClientRequest;

/** Reads an answer to its end. Throws when it is cut short or longer than `limit` bytes. */
async function bodyOf(answer: Http.IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Error(`the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString("utf8");
}

/** What the server refused, as an error; an answer that is no Status keeps its code and its first words. */
function refusal(code: number, body: string): ApiError {
  try {
    const status: unknown = JSON.parse(body);
    if (typeof status === "object" && status !== null && (status as Status).kind === "Status") {
      return ApiError.fromStatus(status as Status, code);
    }
  } catch {
    // Proxies and broken servers answer with text; it is shown below.
  }
  const said = body.trim().slice(0, 200);
  return ApiError.fromStatus(
    {
      apiVersion: "v1",
      kind: "Status",
      metadata: {},
      message: `the server answered ${code}${said && `: ${said}`}`,
    },
    code,
  );
}

const isReset = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "ECONNRESET" || error.code === "EPIPE" || error.code === "ECONNABORTED");

function createSend(connection: Connection): Send {
  const url = new URL(connection.server);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new TypeError(`the server's address is ${connection.server}; it should begin with https://`);
  }
  const prefix = url.pathname.replace(/\/+$/, "");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const common: https.RequestOptions = {
    host,
    port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    ...(connection.socketPath === undefined ? {} : { socketPath: connection.socketPath }),
  };
  const tls: https.RequestOptions = {
    ...(connection.ca === undefined ? {} : { ca: connection.ca }),
    ...(connection.cert === undefined ? {} : { cert: connection.cert }),
    ...(connection.key === undefined ? {} : { key: connection.key }),
    // RFC 6066 section 3 allows no addresses as server names; Node then checks the certificate against `host`.
    servername: connection.serverName ?? (isIP(host) === 0 ? host : ""),
    rejectUnauthorized: connection.insecure !== true,
  };
  const module = url.protocol === "https:" ? https : http;
  return (request, agent, onAnswer) => {
    const token = typeof connection.token === "function" ? connection.token() : connection.token;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const sent = module.request(
      {
        ...common,
        ...(url.protocol === "https:" ? tls : {}),
        agent,
        method: request.method,
        path: prefix + request.path,
        headers: {
          host: url.host,
          accept: "application/json",
          "user-agent": connection.userAgent ?? "fairlead",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined
            ? {}
            : {
                "content-type": request.contentType ?? "application/json",
                "content-length": Buffer.byteLength(body),
              }),
        },
      },
      onAnswer,
    );
    sent.end(body);
    return sent;
  };
}

/** Opens nothing yet; connections are made when the first request needs them. */
export function createTransport(connection: Connection): Transport {
  const send = createSend(connection);
  const clock = connection.clock ?? systemClock;
  const deadline = connection.deadline ?? 30_000;
  const signDeadline = connection.signDeadline ?? 7500;
  const bodyLimit = connection.bodyLimit ?? 256 * 1024 * 1024;
  const secure = new URL(connection.server).protocol === "https:";
  // Agents reuse TLS sessions.
  const Agent = (secure ? https : http).Agent;
  const maxSockets = connection.maxSockets ?? 16;
  const forRequests = new Agent({ keepAlive: true, keepAliveMsecs: 15_000, maxSockets, maxFreeSockets: 16 });
  // A watch has a connection of its own, closed with it: a server that ends need not wait for idle ones.
  const forWatches = new Agent({ keepAlive: false });

  // Nor does a question for a sign of life wait behind others.
  const forSigns = new Agent({ keepAlive: true, keepAliveMsecs: 15_000, maxSockets: 1 });
  let heardAt = 0;
  const heard = (): void => {
    heardAt = clock.now();
  };

  /** Resolves with the answer's head. `ended` is called when the caller no longer reads. */
  const begin = (
    request: Request,
    agent: Http.Agent,
  ): { answer: Promise<Http.IncomingMessage>; abort: (why: Error) => void; reused: () => boolean } => {
    let sent: Http.ClientRequest | undefined;
    const answer = new Promise<Http.IncomingMessage>((resolve, reject) => {
      sent = send(request, agent, resolve);
      sent.on("error", reject);
      sent.on("socket", (socket) => {
        socket.setNoDelay(true);
        // The kernel notices a peer that is gone without a word.
        socket.setKeepAlive(true, 15_000);
      });
    });
    return {
      answer,
      abort: (why) => sent?.destroy(why),
      reused: () => sent?.reusedSocket === true,
    };
  };

  const failed = (request: Request, cause: unknown): Error =>
    cause instanceof ApiError
      ? cause
      : new Error(
          `${request.method} ${connection.server}${request.path}: ${cause instanceof Error ? cause.message || cause.name : String(cause)}`,
          { cause },
        );

  const once = async (request: Request, mayRepeat: boolean): Promise<unknown> => {
    request.signal?.throwIfAborted();
    const { answer, abort, reused } = begin(request, forRequests);
    const onAbort = (): void => abort(new Error("the request was given up", { cause: request.signal?.reason }));
    const cancelDeadline = clock.after(deadline, () => abort(new Error(`no whole answer within ${deadline} ms`)));
    request.signal?.addEventListener("abort", onAbort, { once: true });
    let headSeen = false;
    try {
      const head = await answer;
      headSeen = true;
      heard();
      const code = head.statusCode ?? 0;
      const body = await bodyOf(head, bodyLimit);
      heard();
      if (code >= 400) throw refusal(code, body);
      if (code >= 300 || code < 200) throw new Error(`the server answered ${code}, which is neither success nor error`);
      return body === "" ? undefined : (JSON.parse(body) as unknown);
    } catch (error) {
      // A kept connection may be closed by the server just as we write to it: then a read may safely be sent again.
      if (mayRepeat && !headSeen && request.method === "GET" && reused() && isReset(error)) return "repeat";
      abort(new Error("the answer is no longer wanted"));
      throw failed(request, error);
    } finally {
      cancelDeadline();
      request.signal?.removeEventListener("abort", onAbort);
    }
  };

  const askForSign = async (): Promise<void> => {
    // Everybody may read it (`system:public-info-viewer`), and no server has to look anything up for it.
    const request = { method: "GET", path: "/version" };
    const { answer, abort } = begin(request, forSigns);
    const cancelDeadline = clock.after(signDeadline, () => abort(new Error(`no answer within ${signDeadline} ms`)));
    try {
      const head = await answer;
      heard();
      head.on("error", () => {});
      head.resume();
    } catch (error) {
      throw failed(request, error);
    } finally {
      cancelDeadline();
    }
  };
  let asking: Promise<void> | undefined;

  return {
    get heardAt() {
      return heardAt;
    },
    heard,
    signOfLife() {
      asking ??= askForSign().finally(() => (asking = undefined));
      return asking;
    },
    async json(request) {
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const answer = await once(request, true);
        if (answer !== "repeat") return answer;
      }
      return once(request, false);
    },
    async stream(request) {
      request.signal.throwIfAborted();
      const { answer, abort } = begin(request, forWatches);
      const onAbort = (): void => abort(new Error("the watch was ended", { cause: request.signal.reason }));
      request.signal.addEventListener("abort", onAbort, { once: true });
      const cancelDeadline = clock.after(deadline, () => abort(new Error(`no answer within ${deadline} ms`)));
      try {
        const head = await answer;
        heard();
        const code = head.statusCode ?? 0;
        if (code >= 400) throw refusal(code, await bodyOf(head, bodyLimit));
        if (code !== 200) throw new Error(`the server answered ${code}; a watch should begin with 200`);
        head.once("close", () => request.signal.removeEventListener("abort", onAbort));
        return head;
      } catch (error) {
        request.signal.removeEventListener("abort", onAbort);
        abort(new Error("the answer is no longer wanted"));
        throw failed(request, error);
      } finally {
        cancelDeadline();
      }
    },
    close() {
      forRequests.destroy();
      forWatches.destroy();
      forSigns.destroy();
    },
  };
}
