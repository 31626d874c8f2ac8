import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { ApiError } from "../api/status.ts";
import { requestInfo } from "./access/attributes.ts";
import { forbidden } from "./access/authorizer.ts";
import type { Context } from "./context.ts";
import { sendDiscovery } from "./discovery/discovery.ts";
import { dispatch } from "./dispatch.ts";
import { badRequest } from "./errors.ts";
import { sendHealth } from "./health.ts";
import type { Answer, Exchange, Request } from "./http/exchange.ts";
import { apiErrorOf, sendError } from "./http/respond.ts";
import { authenticate, type TokenAuthenticator } from "./identity/authenticate.ts";
import { ANONYMOUS, type Identity } from "./identity/identity.ts";
import { sendMetrics } from "./metrics/send.ts";
import { sendOpenApi } from "./openapi/openapi.ts";
import { answerReview } from "./reviews/answer.ts";
import { pathNotFound, readRoute } from "./route.ts";
import { isUpgrade, upgrade } from "./verbs/pod-streams.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { STATUS_CODES: HTTP_WORDS } = process.getBuiltinModule("node:http");

export interface HandleSettings {
  readonly version: string;
  readonly tokens: readonly TokenAuthenticator[];
}

/** Signs of a URL, as upstream's front ends bound it. */
const MAXIMUM_URL = 16 * 1024;

/** Made once: without a reason every request would end with an exception made anew, stack and all. */
const GONE = new Error("the client has gone, or has its answer");

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf("?");
  if (mark < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

async function serve(context: Context, settings: HandleSettings, exchange: Exchange): Promise<void> {
  if (await answerReview(context, exchange)) return;
  const route = readRoute(exchange.path, context.kinds);
  if (route !== undefined) return dispatch(context, exchange, route);
  if (await sendHealth(context, exchange)) return;
  if (await sendMetrics(context, exchange)) return;
  if (await sendDiscovery(context, exchange, settings.version)) return;
  if (await sendOpenApi(context, exchange)) return;
  throw pathNotFound();
}

/** @throws ApiError Forbidden when nobody allows the request */
function authorize(context: Context, identity: Identity, method: string, path: string, query: URLSearchParams): void {
  const attributes = { ...requestInfo(method, path, query), identity };
  const { verdict, reason } = context.authorizer.decide(attributes);
  if (verdict !== "allow") throw forbidden(attributes, reason);
}

/** Answers one request. Never throws: whatever goes wrong is told to the client as a Status. */
export async function handle(
  context: Context,
  settings: HandleSettings,
  request: Request,
  answer: Answer,
  socket: TLSSocket,
): Promise<void> {
  const gone = new AbortController();
  answer.on("close", () => gone.abort(GONE));
  answer.on("error", (error) => context.log.debug({ error: error.message }, "a client went before its answer"));
  request.on("error", (error) => context.log.debug({ error: error.message }, "a request broke off"));
  const url = request.url ?? "/";
  const method = request.method ?? "GET";
  const { path, query } = splitUrl(url);
  const measured = context.requests.begin(requestInfo(method, path, query), query.has("dryRun"));
  answer.once("close", () => measured.done(answer.statusCode));
  const unknown = {
    request,
    answer,
    method,
    path,
    query,
    identity: ANONYMOUS,
    warnings: new Set<string>(),
    signal: gone.signal,
  };
  let exchange: Exchange = unknown;
  try {
    if (url.length > MAXIMUM_URL) throw badRequest(`the URL is longer than ${MAXIMUM_URL} signs`);
    const identity = await authenticate(socket, request.headers.authorization, settings.tokens);
    exchange = { ...unknown, identity };
    authorize(context, identity, method, path, query);
    await serve(context, settings, exchange);
  } catch (error) {
    await tellError(context, exchange, error);
  }
}

async function tellError(context: Context, exchange: Exchange, error: unknown): Promise<void> {
  // What fails because the client went away is nobody's fault and nobody hears of it.
  if (exchange.signal.aborted) return;
  try {
    await sendError(exchange, apiErrorOf(error, context.log, { method: exchange.method, path: exchange.path }));
    // A body that nobody read would keep an HTTP/1.1 connection from its next request.
    exchange.request.resume();
  } catch (failure) {
    context.log.error({ path: exchange.path, error: String(failure) }, "an error could not be told to the client");
    exchange.answer.destroy();
  }
}

function refuseUpgrade(socket: Duplex, error: ApiError): void {
  if (!socket.writable) return;
  const body = JSON.stringify(error.toStatus());
  const head = [
    `HTTP/1.1 ${error.code} ${HTTP_WORDS[error.code] ?? error.reason}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Answers a request that asks for another protocol on its connection: exec, attach, portforward. */
export async function handleUpgrade(
  context: Context,
  settings: HandleSettings,
  request: IncomingMessage,
  socket: TLSSocket,
  head: Buffer,
): Promise<void> {
  socket.on("error", (error) => context.log.debug({ error: error.message }, "an upgraded connection broke"));
  const { path, query } = splitUrl(request.url ?? "/");
  try {
    const identity = await authenticate(socket, request.headers.authorization, settings.tokens);
    authorize(context, identity, request.method ?? "GET", path, query);
    const route = readRoute(path, context.kinds);
    if (!isUpgrade(route) || route.name === undefined) throw badRequest(`the path ${path} cannot be upgraded`);
    await upgrade(context, { query }, route, request, socket, head);
  } catch (error) {
    refuseUpgrade(socket, apiErrorOf(error, context.log, { method: request.method, path }));
  }
}
