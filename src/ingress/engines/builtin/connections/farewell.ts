import { isAnswering, type Connection } from "./connection.ts";

/** Tells a client that its connection takes no more requests, as far as its protocol has words for it. */
export function bidFarewell({ stage, session, answer }: Connection): void {
  // GOAWAY: streams that begin later were not touched, and the client may ask for them again elsewhere (RFC 9113 §6.8).
  if (stage === "http2" && session !== undefined && !session.closed) session.close();
  if (stage === "http1" && answer !== undefined && !answer.headersSent) answer.shouldKeepAlive = false;
}

/**
 * Whether nothing is under way on a connection, and nothing has come since it was last looked at: HTTP/1 has no words to end an idle
 * one, and a request that has begun to arrive is to be answered.
 */
export function isIdle(connection: Connection): boolean {
  const { stage, socket, session, progress } = connection;
  if (stage === "http2") return session?.closed === false && connection.streams.size === 0;
  if (stage === "opening") return connection.arrival.tls ? false : socket.bytesRead === 0;
  return stage === "http1" && !isAnswering(connection) && socket.bytesRead === progress.bytes;
}
