import { ApiError } from "../../api/status.ts";
import type { Clock } from "../../observe/clock.ts";
import { sendError } from "./respond.ts";
import type { Exchange, Request } from "./exchange.ts";

/** How long a client may take to send a request (upstream's `--request-timeout`). */
const PATIENCE_MS = 60_000;

/** Methods whose requests have no body, or none that anybody waits for. */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

const givenUp = new WeakSet<Request>();

/** False for a request that ended before it was whole; over HTTP/2 its body looks as if it had ended where it broke off. */
export const isWhole = (request: Request): boolean => request.aborted !== true && !givenUp.has(request);

function giveUp(request: Request): void {
  givenUp.add(request);
  if (request.stream === undefined) request.destroy();
  else request.stream.close();
}

const timeout = (): ApiError =>
  new ApiError("Timeout", "Timeout: request did not complete within the allotted timeout", {});

/**
 * Ends a request whose body does not end: whoever sends one byte now and then would hold a place for ever. Once the whole request has come
 * its answer may take as long as it takes, as those of watches and streams do.
 *
 * @returns ends the waiting
 */
export function limitPatience(clock: Clock, exchange: Exchange): () => void {
  const { request, answer, method } = exchange;
  if (BODILESS.has(method)) return () => {};
  return clock.after(PATIENCE_MS, () => {
    if (request.readableEnded) return;
    if (answer.headersSent) {
      giveUp(request);
      return;
    }
    const end = (): void => giveUp(request);
    const isHttp2 = request.stream !== undefined;
    if (!isHttp2) {
      answer.setHeader("connection", "close");
      answer.once("finish", end);
    }
    // Over HTTP/2 no answer is finished before its request; to close waits until the answer is written.
    sendError(exchange, timeout()).then(isHttp2 ? end : undefined, end);
  });
}
