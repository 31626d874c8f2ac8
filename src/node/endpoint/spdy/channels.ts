import type { IncomingHttpHeaders } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { ApiError } from "../../../api/status.ts";
import { clientEnds } from "../exec/end-connection.ts";
import type { ExecChannels, WantedStreams } from "../exec/exec-channels.ts";
import { sizesTold } from "../exec/terminal-size.ts";
import { spdySession, type SpdyStream } from "./session.ts";

/** The only protocol of streams spoken here: with it, the error stream carries the exit code. */
export const CHANNELS = "v4.channel.k8s.io";
/** Pairs of streams, for each connection to a port. */
export const PORTS = "portforward.k8s.io";
/** Milliseconds a client has to open its streams. */
const PATIENCE = 30_000;

/** The answer to a SPDY upgrade. Throws ApiError BadRequest for a client that does not speak that protocol of streams. */
export function spdyHandshake(headers: IncomingHttpHeaders, protocol: string): string {
  const offered = [headers["x-stream-protocol-version"] ?? []].flat().flatMap((line) => line.split(","));
  if (!offered.some((name) => name.trim() === protocol)) {
    throw new ApiError(
      "BadRequest",
      `the header X-Stream-Protocol-Version offers ${JSON.stringify(offered)}; it must offer ${protocol}`,
    );
  }
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: SPDY/3.1",
    "Connection: Upgrade",
    `X-Stream-Protocol-Version: ${protocol}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Characters of a line that are kept; a longer one is none of ours. */
const LONGEST_LINE = 4096;

async function readLines(from: Readable, each: (line: string) => void): Promise<void> {
  let pending = "";
  try {
    for await (const chunk of from) {
      const lines = (pending + String(chunk)).split("\n");
      pending = (lines.pop() ?? "").slice(0, LONGEST_LINE);
      for (const line of lines) each(line);
    }
  } catch {
    // The client has reset the stream: no more sizes.
  }
}

/** Resolves when the client has opened the error stream and those that it wants, in any order. Rejects when it does not. */
export async function spdyChannels(socket: Duplex, head: Buffer, wanted: WantedStreams): Promise<ExecChannels> {
  const awaited = new Set(["error", ...(["stdin", "stdout", "stderr"] as const).filter((name) => wanted[name])]);
  if (wanted.tty) awaited.add("resize");
  const sizes = sizesTold();
  const streams = new Map<string, SpdyStream>();
  const gone = new AbortController();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the client opened ${[...streams.keys()].join(", ") || "no stream"} in ${PATIENCE} ms`)),
      PATIENCE,
    );
    const opened = spdySession(socket, head, (stream) => {
      const type = stream.headers.get("streamtype") ?? "";
      if (!awaited.has(type) || streams.has(type)) return false;
      streams.set(type, stream);
      if (type === "resize") void readLines(stream.received, sizes.tell);
      else if (type !== "stdin") stream.received.resume();
      if (streams.size === awaited.size) {
        clearTimeout(timer);
        resolve();
      }
      return true;
    });
    void opened.closed.then(() => {
      clearTimeout(timer);
      gone.abort();
      reject(new Error("the client went before it had opened its streams"));
    });
  });
  return {
    stdin: streams.get("stdin")?.received,
    stdout: streams.get("stdout")?.sent,
    stderr: streams.get("stderr")?.sent,
    onResize: sizes.onResize,
    gone: gone.signal,
    finish: async (status) => {
      // A session that waits for stdin to be read would not see its client end.
      streams.get("stdin")?.received.resume();
      const { sent } = streams.get("error")!;
      sent.end(JSON.stringify(status));
      // A client that has reset the stream does not want to know.
      await finished(sent).catch(() => {});
      await clientEnds(socket);
    },
  };
}
