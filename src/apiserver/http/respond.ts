import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { ApiError } from "../../api/status.ts";
import type { Log } from "../../observe/log.ts";
import { negotiate, negotiateFailure, OBJECT_TRANSFORMS, type Shape } from "./accept.ts";
import { storeError } from "../store-errors.ts";
import type { Exchange } from "./exchange.ts";

const compress = promisify(gzip);
/** Below this, compressing costs more than it saves (upstream's threshold). */
const COMPRESS_ABOVE = 128 * 1024;
/** Bytes of one `Warning` header's sentence, and of all of them. */
const MAXIMUM_WARNING = 256;
const MAXIMUM_WARNINGS = 4096;

/** `Warning` headers (RFC 7234, 5.5): code 299, no agent, the sentence quoted. */
function warningHeaders(warnings: ReadonlySet<string>): string[] {
  const headers: string[] = [];
  let length = 0;
  for (const warning of warnings) {
    // Header bytes are ASCII; other signs and controls become question marks.
    const text = warning
      .slice(0, MAXIMUM_WARNING)
      .replaceAll(/[^ -~]/g, "?")
      .replaceAll(/["\\]/g, "\\$&");
    length += text.length;
    if (length > MAXIMUM_WARNINGS) break;
    headers.push(`299 - "${text}"`);
  }
  return headers;
}

/** Sets what every answer has: type, how long it may be kept (not at all, unless said otherwise), warnings. */
export function startAnswer(
  exchange: Exchange,
  code: number,
  contentType: string | undefined,
  cacheControl = "no-cache, private",
): void {
  const { answer } = exchange;
  answer.statusCode = code;
  if (contentType !== undefined) answer.setHeader("content-type", contentType);
  answer.setHeader("cache-control", cacheControl);
  if (exchange.warnings.size > 0) answer.setHeader("warning", warningHeaders(exchange.warnings));
}

const wantsGzip = (exchange: Exchange): boolean =>
  /(^|,)\s*gzip\s*(;|,|$)/.test([exchange.request.headers["accept-encoding"] ?? ""].flat().join(","));

/** Answers with a whole body; compressed when it is large and the client asked for that. */
export async function sendBytes(
  exchange: Exchange,
  code: number,
  plain: Buffer,
  contentType: string,
  cacheControl?: string,
): Promise<void> {
  const small = plain.length <= COMPRESS_ABOVE || !wantsGzip(exchange);
  const body = small ? plain : await compress(plain, { level: constants.Z_BEST_SPEED });
  if (exchange.answer.destroyed) return;
  startAnswer(exchange, code, contentType, cacheControl);
  if (!small) {
    exchange.answer.setHeader("content-encoding", "gzip");
    if (!exchange.answer.hasHeader("vary")) exchange.answer.setHeader("vary", "Accept-Encoding");
  }
  exchange.answer.setHeader("content-length", String(body.length));
  exchange.answer.end(exchange.method === "HEAD" ? undefined : body);
}

/** As {@link sendBytes}, with a text. */
export const sendText = (
  exchange: Exchange,
  code: number,
  text: string,
  contentType = "application/json",
): Promise<void> => sendBytes(exchange, code, Buffer.from(text), contentType);

/** Answers with a code and nothing else. */
export async function sendEmpty(exchange: Exchange, code: number, cacheControl?: string): Promise<void> {
  startAnswer(exchange, code, undefined, cacheControl);
  if (code !== 304) exchange.answer.setHeader("content-length", "0");
  exchange.answer.end();
}

/** A path that is nothing at all, as Go's router says it: clients make a Status of it themselves. */
export function sendPageNotFound(exchange: Exchange): Promise<void> {
  exchange.answer.setHeader("x-content-type-options", "nosniff");
  return sendText(exchange, 404, "404 page not found\n", "text/plain; charset=utf-8");
}

/** Answers with a JSON text, written as the client asked. */
export async function sendShaped(
  exchange: Exchange,
  code: number,
  json: string,
  { format, pretty }: Pick<Shape, "format" | "pretty">,
): Promise<void> {
  if (format === "yaml") {
    const { toYaml } = await import("./yaml.ts");
    return sendText(exchange, code, toYaml(JSON.parse(json)), "application/yaml");
  }
  return sendText(exchange, code, pretty ? `${JSON.stringify(JSON.parse(json), null, 2)}\n` : json);
}

/** Answers with an object that has no other shape than its own. @throws ApiError NotAcceptable */
export const sendJson = (exchange: Exchange, code: number, value: unknown): Promise<void> =>
  sendShaped(exchange, code, JSON.stringify(value), negotiate(exchange));

/** Answers with a Status, which is itself whatever shape was asked for. @throws ApiError NotAcceptable */
export const sendStatus = (exchange: Exchange, code: number, status: object): Promise<void> =>
  sendShaped(exchange, code, JSON.stringify(status), negotiate(exchange, OBJECT_TRANSFORMS));

/** The error as the client shall see it. What nobody expected is logged whole and told without its insides. */
export function apiErrorOf(error: unknown, log: Log, facts: object): ApiError {
  if (error instanceof ApiError) return error;
  const ofStore = storeError(error);
  if (ofStore !== undefined) return ofStore;
  const cause = error instanceof Error ? error : new Error(String(error));
  log.error({ ...facts, error: cause.message, stack: cause.stack }, "a request failed in a way nobody expected");
  return new ApiError("InternalError", `Internal error occurred: ${cause.message}`, {
    causes: [{ message: cause.message }],
  });
}

/** Answers with a Status; when the answer has already begun, cuts it off, which clients take for a failure. */
export async function sendError(exchange: Exchange, error: ApiError): Promise<void> {
  if (exchange.answer.headersSent || exchange.answer.destroyed) {
    exchange.answer.destroy();
    return;
  }
  const { retryAfterSeconds } = error.details ?? {};
  if (retryAfterSeconds !== undefined) exchange.answer.setHeader("retry-after", String(retryAfterSeconds));
  if (error.reason === "Unauthorized") exchange.answer.setHeader("www-authenticate", 'Bearer realm="fairlead"');
  await sendShaped(exchange, error.code, JSON.stringify(error.toStatus()), negotiateFailure(exchange));
}
