import { ApiError } from "../../api/status.ts";
import type { Clock } from "../../observe/clock.ts";
import { sendError } from "./respond.ts";
import type { Exchange } from "./exchange.ts";

/** How long a client may take to send a request (upstream's `--request-timeout`). */
const PATIENCE_MS = 60_000;

/** Methods whose requests have no body, or none that anybody waits for. */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

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
      request.destroy();
      return;
    }
    answer.once("finish", () => request.destroy());
    if (request.httpVersionMajor === 1) answer.setHeader("connection", "close");
    sendError(exchange, timeout()).catch(() => request.destroy());
  });
}
