import { createSocket } from "node:dgram";
import type { Log } from "../../observe/log.ts";
import { ANY, listenError, type Listening, type Opening, type SocketAddress } from "./address.ts";
import type { Responder } from "./respond.ts";

/** The kernel gives what its limit allows; a burst of queries must not be lost while we are busy with a change. */
const RECEIVE_BUFFER = 4 << 20;

/** Answers DNS over UDP on one address, by a socket that is open already if there is one. Rejects when the address cannot be taken. */
export async function listenUdp(
  responder: Responder,
  at: SocketAddress,
  log: Log,
  { reusePort = false, openSocket }: Opening = {},
): Promise<Listening> {
  const family = at.address.includes(":") ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    reusePort,
    recvBufferSize: RECEIVE_BUFFER,
    // Answered at once: the address is one already, and Node would otherwise put every answer off to the next tick.
    lookup: (address, _options, callback) => callback(null, address, family),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("listening", () => {
      socket.off("error", reject);
      resolve();
    });
    const fd = openSocket?.("UDP", at);
    if (fd !== undefined) socket.bind({ fd });
    else socket.bind(at.port, at.address);
  }).catch(async (error: Error) => {
    throw await listenError("UDP", at, error);
  });
  socket.on("error", (error) => log.debug({ err: error }, "a DNS socket failed"));

  // Listening on all addresses, nobody tells which one was asked.
  const local = ANY.includes(at.address) ? "" : at.address;
  let closed = false;
  socket.on("message", (packet, from) => {
    // A forged source port of 0 can be received, but nothing can be sent to it.
    if (from.port === 0) return;
    const reply = responder.respond(packet, "udp", from, local);
    if (reply === undefined) return;
    // A client that has gone or whose network is down is its own trouble: nobody is told, as a callback would be called for
    // every answer, which costs a tenth of a cached one.
    if (Buffer.isBuffer(reply)) {
      socket.send(reply, from.port, from.address);
      return;
    }
    void reply.then((bytes) => {
      if (!closed) socket.send(bytes, from.port, from.address);
    });
  });
  return {
    address: at.address,
    port: socket.address().port,
    close: () =>
      new Promise((resolve) => {
        if (closed) return resolve();
        closed = true;
        socket.close(resolve);
      }),
  };
}
