import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Log } from "../../../observe/log.ts";
import { spdySession, type SpdyStream } from "../spdy/session.ts";

/** Connections that one client may have at a time; each is two streams. */
const MAXIMUM_CONNECTIONS = 512;
/** Milliseconds a client has to open the second stream of a connection. */
const PATIENCE = 30_000;

interface Pair {
  readonly port: number;
  readonly error?: SpdyStream;
  readonly data?: SpdyStream;
  readonly timer: NodeJS.Timeout;
}

function portOf(text: string | undefined): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text ?? "") && port > 0 && port < 65_536 ? port : undefined;
}

/** Passes bytes both ways; each direction ends by itself, and a failure of one ends both. */
async function pass({ received, sent }: SpdyStream, connection: Duplex): Promise<void> {
  const way = new AbortController();
  const both = [pipeline(received, connection, way), pipeline(connection, sent, way)];
  try {
    await Promise.all(both);
  } catch (error) {
    way.abort();
    await Promise.allSettled(both);
    throw error;
  } finally {
    connection.destroy();
  }
}

/**
 * Forwards connections to a pod's ports over a SPDY connection whose upgrade has been answered. Each is a pair of streams with one
 * `requestid`: `data` is the connection, and on `error` is told what became of it, nothing when all went well. `dial` opens a connection
 * to a port, and rejects with what kept it. Resolves when the client has gone.
 */
export async function forwardPorts(
  socket: Duplex,
  head: Buffer,
  pod: string,
  dial: (port: number) => Promise<Duplex>,
  log: Log,
): Promise<void> {
  const waiting = new Map<string, Pair>();
  let open = 0;

  const forward = async (port: number, error: SpdyStream, data: SpdyStream): Promise<void> => {
    open += 1;
    error.received.resume();
    try {
      await pass(data, await dial(port));
    } catch (failure) {
      const { message } = failure as Error;
      log.debug({ pod, port, error: message }, "a connection to a port of a pod failed");
      if (error.sent.writable) error.sent.write(`error forwarding port ${port} to pod ${pod}: ${message}`);
      data.received.resume();
    } finally {
      open -= 1;
      data.sent.end();
      error.sent.end();
    }
  };

  const accept = (stream: SpdyStream): boolean => {
    const type = stream.headers.get("streamtype");
    const id = stream.headers.get("requestid");
    const port = portOf(stream.headers.get("port"));
    if (id === undefined || port === undefined || (type !== "error" && type !== "data")) return false;
    const before = waiting.get(id);
    if (before === undefined) {
      if (waiting.size + open >= MAXIMUM_CONNECTIONS) return false;
      const timer = setTimeout(() => {
        waiting.delete(id);
        stream.received.resume();
        stream.sent.end(`error forwarding port ${port} to pod ${pod}: only one stream of two came in ${PATIENCE} ms`);
      }, PATIENCE);
      waiting.set(id, { port, timer, [type]: stream });
      return true;
    }
    if (before[type] !== undefined || before.port !== port) return false;
    clearTimeout(before.timer);
    waiting.delete(id);
    const { error = stream, data = stream } = before;
    void forward(port, error, data);
    return true;
  };

  await spdySession(socket, head, accept, 2 * MAXIMUM_CONNECTIONS).closed;
  for (const { timer } of waiting.values()) clearTimeout(timer);
  socket.destroy();
}
