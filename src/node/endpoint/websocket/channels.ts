import { PassThrough, Writable, type Duplex } from "node:stream";
import { clientEnds } from "../exec/end-connection.ts";
import type { ExecChannels, WantedStreams } from "../exec/exec-channels.ts";
import { sizesTold } from "../exec/terminal-size.ts";
import { whileUnread } from "../exec/while-unread.ts";
import { CLOSE, closePayload, encodeFrame, MessageReader, OPCODE, WebSocketError, type Message } from "./frames.ts";
import type { CHANNELS } from "./handshake.ts";

/** The first byte of every message says what it is for. */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** Bytes of one message of a client: Go clients send all that they have at hand as one. */
const MAXIMUM_MESSAGE = 32 * 1024 * 1024;
/** Bytes of stdin kept for a command that does not read; then the connection is not read either. */
const STDIN_BUFFER = 1024 * 1024;

/** The streams of exec as channels of one WebSocket connection, whose handshake has been answered. */
export function webSocketChannels(
  socket: Duplex,
  head: Buffer,
  subprotocol: (typeof CHANNELS)[number],
  wanted: WantedStreams,
): ExecChannels {
  const gone = new AbortController();
  const stdin = wanted.stdin ? new PassThrough({ highWaterMark: STDIN_BUFFER }) : undefined;
  const sizes = sizesTold();
  const reader = new MessageReader(MAXIMUM_MESSAGE);
  let closing = false;

  const leave = (): void => {
    gone.abort();
    stdin?.destroy();
  };
  const close = (code: number, reason?: string): void => {
    if (closing) return;
    closing = true;
    if (socket.writable) socket.write(encodeFrame(OPCODE.close, closePayload(code, reason)));
  };
  const channel = (number: number): Writable =>
    new Writable({
      write: (data: Buffer, _, done) => {
        if (closing || !socket.writable) return done(new Error("the WebSocket connection is closed"));
        socket.write(encodeFrame(OPCODE.binary, Buffer.of(number), data), (error) => done(error));
      },
    });

  const toStdin = (data: Buffer): void => {
    if (stdin === undefined || !stdin.writable || data.length === 0) return;
    if (stdin.write(data)) return;
    if (socket.isPaused()) return;
    socket.pause();
    const read = whileUnread(() => socket.writable && !closing && socket.write(encodeFrame(OPCODE.ping)));
    stdin.once("close", read);
    stdin.once("drain", () => {
      stdin.off("close", read);
      read();
      socket.resume();
    });
  };
  const receive = ({ opcode, data }: Message): void => {
    if (opcode === OPCODE.ping && socket.writable && !closing) socket.write(encodeFrame(OPCODE.pong, data));
    if (opcode === OPCODE.close) {
      leave();
      close(data.length >= 2 ? data.readUInt16BE() : CLOSE.normal);
      socket.end();
    }
    if (opcode > OPCODE.binary || data.length === 0) return;
    if (data[0] === CHANNEL.resize && wanted.tty) sizes.tell(data.toString("utf8", 1));
    if (data[0] === CHANNEL.stdin) toStdin(data.subarray(1));
    if (data[0] === CHANNEL.close && data[1] === CHANNEL.stdin && subprotocol === "v5.channel.k8s.io") stdin?.end();
  };
  const read = (chunk: Buffer): void => {
    try {
      for (const message of reader.push(chunk)) receive(message);
    } catch (error) {
      socket.off("data", read);
      leave();
      close(error instanceof WebSocketError ? error.code : CLOSE.internalError, (error as Error).message);
      void clientEnds(socket);
    }
  };

  socket.on("error", leave);
  socket.once("end", leave);
  socket.once("close", leave);
  socket.on("data", read);
  if (head.length > 0) read(head);

  const first = wanted.stdout ? CHANNEL.stdout : wanted.stderr ? CHANNEL.stderr : CHANNEL.error;
  // An empty message tells that the connection stands, as clients know it from upstream.
  socket.write(encodeFrame(OPCODE.binary, Buffer.of(first)));
  return {
    stdin,
    stdout: wanted.stdout ? channel(CHANNEL.stdout) : undefined,
    stderr: wanted.stderr ? channel(CHANNEL.stderr) : undefined,
    onResize: sizes.onResize,
    gone: gone.signal,
    finish: async (status) => {
      if (!socket.writable) return;
      socket.write(encodeFrame(OPCODE.binary, Buffer.of(CHANNEL.error), Buffer.from(JSON.stringify(status))));
      close(CLOSE.normal);
      stdin?.destroy();
      await clientEnds(socket);
    },
  };
}
