import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { ApiError } from "../api/status.ts";
import { requestInfo, type RequestInfo } from "./access/attributes.ts";
import { forbidden } from "./access/authorizer.ts";
import type { Context } from "./context.ts";
import { sendDiscovery } from "./discovery/discovery.ts";
import { servesGroupOf } from "./discovery/resources.ts";
import { dispatch } from "./dispatch.ts";
import { badRequest } from "./errors.ts";
import { sendHealth } from "./health.ts";
import { auditId } from "./http/audit-id.ts";
import type { Answer, Exchange, Request } from "./http/exchange.ts";
import { limitPatience } from "./http/patience.ts";
import { apiErrorOf, sendEmpty, sendError, sendPageNotFound, sendText } from "./http/respond.ts";
import { authenticate } from "./identity/authenticate.ts";
import { ANONYMOUS, type Identity } from "./identity/identity.ts";
import { impersonate } from "./identity/impersonation/impersonate.ts";
import { wantedIdentity } from "./identity/impersonation/wanted.ts";
import { sendMetrics } from "./metrics/send.ts";
import { sendOpenApi } from "./openapi/openapi.ts";
import { sendOpenId } from "./openid/openid.ts";
import { answerReview } from "./reviews/answer.ts";
import { pathNotFound, readRoute } from "./route.ts";
import { hasBrokenEscape } from "./segments.ts";
import { refusalOfUnserved } from "./unserved.ts";
import { proxyUpgrade } from "./verbs/proxy.ts";
import { isUpgrade, upgrade } from "./verbs/pod-streams.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { STATUS_CODES: HTTP_WORDS } = process.getBuiltinModule("node:http");

export interface HandleSettings {
  readonly version: string;
}

/** Signs of a URL, as upstream's front ends bound it. */
const MAXIMUM_URL = 16 * 1024;

/** Made once: without a reason every request would end with an exception made anew, stack and all. */
const GONE = new Error("the client has gone, or has its answer");

/** A query as Go reads it: a pair with a broken escape or a semicolon is as if it were not there. */
function queryOf(text: string): URLSearchParams {
  if (!/[%;]/.test(text)) return new URLSearchParams(text);
  const isRead = (pair: string): boolean => !pair.includes(";") && !hasBrokenEscape(pair);
  return new URLSearchParams(text.split("&").filter(isRead).join("&"));
}

function splitUrl(said: string): { path: string; query: URLSearchParams } {
  // A client may name the whole URL, as it would to a proxy (RFC 9112, section 3.2.2).
  const url = said.startsWith("/") ? said : said.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = url.indexOf("?");
  if (mark < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, mark), query: queryOf(url.slice(mark + 1)) };
}

async function serve(context: Context, settings: HandleSettings, exchange: Exchange): Promise<void> {
  const refusal = refusalOfUnserved(exchange.method, exchange.path, context.kinds);
  if (refusal !== undefined) throw refusal;
  if (!servesGroupOf(exchange.path, context.kinds.all)) return sendPageNotFound(exchange);
  if (await answerReview(context, exchange)) return;
  const route = readRoute(exchange.path, context.kinds);
  if (route !== undefined) return dispatch(context, exchange, route);
  if (await sendHealth(context, exchange)) return;
  if (await sendMetrics(context, exchange)) return;
  if (await sendDiscovery(context, exchange, settings.version)) return;
  if (await sendOpenApi(context, exchange)) return;
  if (await sendOpenId(context, exchange)) return;
  if (/^\/apis?\//.test(exchange.path)) throw pathNotFound();
  await sendPageNotFound(exchange);
}

/**
 * For whom a request is to be answered: whoever makes it, or whom they may speak for.
 *
 * @throws ApiError Unauthorized, BadRequest, Forbidden
 */
async function identify(
  context: Context,
  request: Pick<Request, "headers" | "rawHeaders">,
  socket: TLSSocket,
  info: RequestInfo,
  warnings: Set<string>,
): Promise<Identity> {
  const { tokens, judgeToken, authorizer, clock } = context;
  const judge = (token: string) => judgeToken(token, tokens.audiences);
  const identity = await authenticate({ socket, headers: request.headers, warnings }, judge, clock.now());
  const wanted = wantedIdentity(request.rawHeaders);
  return wanted === undefined ? identity : impersonate(wanted, info, identity, authorizer);
}

/** @throws ApiError Forbidden when nobody allows the request */
function authorize(context: Context, identity: Identity, info: RequestInfo): void {
  const attributes = { ...info, identity };
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
  answer.setHeader("audit-id", auditId(request, context.random));
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
  answer.once("close", limitPatience(context.clock, unknown));
  try {
    if (url === "*" && method === "OPTIONS") return await sendEmpty(exchange, 200);
    if (hasBrokenEscape(path)) return await sendText(exchange, 400, "400 Bad Request", "text/plain; charset=utf-8");
    if (url.length > MAXIMUM_URL) throw badRequest(`the URL is longer than ${MAXIMUM_URL} signs`);
    const info = requestInfo(method, path, query);
    const identity = await identify(context, request, socket, info, unknown.warnings);
    exchange = { ...unknown, identity };
    authorize(context, identity, info);
    const leave = context.inFlight.take(info, identity);
    try {
      await serve(context, settings, exchange);
    } finally {
      leave();
    }
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
  request: IncomingMessage,
  socket: TLSSocket,
  head: Buffer,
): Promise<void> {
  socket.on("error", (error) => context.log.debug({ error: error.message }, "an upgraded connection broke"));
  const { path, query } = splitUrl(request.url ?? "/");
  try {
    const info = requestInfo(request.method ?? "GET", path, query);
    authorize(context, await identify(context, request, socket, info, new Set()), info);
    const route = readRoute(path, context.kinds);
    if (route?.proxied !== undefined) return await proxyUpgrade(context, route, request, socket, head);
    if (!isUpgrade(route) || route.name === undefined) throw badRequest(`the path ${path} cannot be upgraded`);
    await upgrade(context, { query }, route, request, socket, head);
  } catch (error) {
    refuseUpgrade(socket, apiErrorOf(error, context.log, { method: request.method, path }));
  }
}
