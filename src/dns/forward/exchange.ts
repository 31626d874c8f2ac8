import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock } from "../../observe/clock.ts";
import type { SocketAddress } from "../server/address.ts";

/** One query to one upstream resolver and its response. Rejects after `timeout` milliseconds, or as soon as it is known to fail. */
export type Exchange = (
  query: Buffer,
  end: number,
  to: SocketAddress,
  timeout: number,
  clock: Clock,
) => Promise<Buffer>;

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte);

/** True for a response to this very query: its id, and its question in any spelling (RFC 5452 §9.1). */
function isResponseTo(query: Buffer, end: number, response: Buffer): boolean {
  if (response.length < end || response.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((response[2]! & 0xf8) !== 0x80 || response.readUInt16BE(4) !== 1) return false;
  for (let at = 12; at < end; at += 1) if (lower(response[at]!) !== lower(query[at]!)) return false;
  return true;
}

const timedOut = (to: SocketAddress, timeout: number): Error =>
  new Error(`asking the upstream resolver ${to.address} port ${to.port}: no answer within ${timeout} ms`);

/**
 * Over UDP, from a port of its own that the kernel picks, connected so that only the resolver is heard. Packets that do
 * not answer the query are passed over: somebody may be guessing.
 */
export const exchangeUdp: Exchange = (query, end, to, timeout, clock) =>
  new Promise((resolve, reject) => {
    const socket = createSocket(to.address.includes(":") ? "udp6" : "udp4");
    const cancel = clock.after(timeout, () => finish(() => reject(timedOut(to, timeout))));
    let done = false;
    const finish = (settle: () => void): void => {
      if (done) return;
      done = true;
      cancel();
      socket.close();
      settle();
    };
    const fail = (error: Error | null): void => {
      if (error !== null) finish(() => reject(error));
    };
    socket.on("error", fail);
    socket.on("message", (response) => {
      if (isResponseTo(query, end, response)) finish(() => resolve(response));
    });
    // Not as connect's callback, which is called on failure too, with an error (no route): then there is nothing to send by.
    socket.once("connect", () => {
      if (!done) socket.send(query, fail);
    });
    socket.connect(to.port, to.address);
  });

/** Over TCP, one query per connection. */
export const exchangeTcp: Exchange = (query, end, to, timeout, clock) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: to.address, port: to.port, noDelay: true });
    const cancel = clock.after(timeout, () => finish(() => reject(timedOut(to, timeout))));
    const finish = (settle: () => void): void => {
      cancel();
      socket.destroy();
      settle();
    };
    const framed = Buffer.alloc(query.length + 2);
    framed.writeUInt16BE(query.length, 0);
    framed.set(query, 2);
    socket.on("connect", () => socket.write(framed));
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("close", () => finish(() => reject(timedOut(to, timeout))));
    let received: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const response = received.subarray(2, 2 + received.readUInt16BE(0));
      if (isResponseTo(query, end, response)) finish(() => resolve(response));
      else finish(() => reject(new Error(`asking the upstream resolver ${to.address}: it answered another question`)));
    });
  });
