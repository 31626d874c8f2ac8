import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";

/** Bytes that wait for us; as many as the kernel grants. */
const WAITING = 8 << 20;

/**
 * Where HAProxy's workers send their log: datagrams over loopback, since then they wait for nobody. What nobody reads in time is lost, and a worker
 * whose controller has died goes on as ever. (Its ring buffers, which lose less, keep a core busy when nobody is there to read.)
 */
export interface LogReader {
  readonly port: number;
  /** Begins each line: whoever else is on this machine may send to the port. */
  readonly word: string;
  close(): Promise<void>;
}

export async function readLog(hear: (line: string) => void): Promise<LogReader> {
  const word = randomBytes(12).toString("hex");
  const socket = createSocket({ type: "udp4", recvBufferSize: WAITING });
  socket.on("message", (message) => {
    const text = message.toString("utf8").trimEnd();
    if (text.startsWith(`${word} `)) hear(text.slice(word.length + 1));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", resolve);
  });
  socket.on("error", () => {});
  // A log alone is no reason to stay.
  socket.unref();
  return {
    port: socket.address().port,
    word,
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
}
