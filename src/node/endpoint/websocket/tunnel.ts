import { Duplex } from "node:stream";
import { clientEnds } from "../exec/end-connection.ts";
import { CLOSE, closePayload, encodeFrame, MessageReader, OPCODE, WebSocketError, type Message } from "./frames.ts";

/** Bytes of one message of a client. */
const MAXIMUM_MESSAGE = 32 * 1024 * 1024;

/** The bytes within the binary messages of a WebSocket connection, whose handshake has been answered, as a connection of their own. */
export function webSocketTunnel(socket: Duplex, head: Buffer): Duplex {
  const reader = new MessageReader(MAXIMUM_MESSAGE);
  let closing = false;

  const close = (code: number, reason?: string): void => {
    if (closing) return;
    closing = true;
    if (socket.writable) socket.write(encodeFrame(OPCODE.close, closePayload(code, reason)));
  };
  const tunnel = new Duplex({
    read: () => void socket.resume(),
    write: (data: Buffer, _, done) => {
      if (closing || !socket.writable) return done(new Error("the WebSocket connection is closed"));
      socket.write(encodeFrame(OPCODE.binary, data), (error) => done(error));
    },
    final: (done) => {
      close(CLOSE.normal);
      socket.once("close", () => done());
      void clientEnds(socket);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  const end = (): void => {
    if (!tunnel.readableEnded && !tunnel.destroyed) tunnel.push(null);
  };

  const receive = ({ opcode, data }: Message): void => {
    if (opcode === OPCODE.ping && socket.writable && !closing) socket.write(encodeFrame(OPCODE.pong, data));
    if (opcode === OPCODE.close) {
      end();
      close(data.length >= 2 ? data.readUInt16BE() : CLOSE.normal);
    }
    if (opcode <= OPCODE.binary && data.length > 0 && !closing && !tunnel.push(data)) socket.pause();
  };
  const read = (chunk: Buffer): void => {
    try {
      for (const message of reader.push(chunk)) receive(message);
    } catch (error) {
      socket.off("data", read);
      close(error instanceof WebSocketError ? error.code : CLOSE.internalError, (error as Error).message);
      tunnel.destroy();
    }
  };

  // Whoever reads or writes the tunnel hears of its end; a failure says no more.
  tunnel.on("error", () => {});
  socket.on("error", () => tunnel.destroy());
  socket.once("end", end);
  socket.once("close", () => tunnel.destroy());
  socket.on("data", read);
  if (head.length > 0) read(head);
  return tunnel;
}
