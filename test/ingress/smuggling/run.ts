import type { Duplex } from "node:stream";
import { framesIn, frame, PREFACE, TYPE } from "./frames.ts";
import type { Recorder } from "./recorder.ts";
import type { Shape } from "./shape.ts";

/** An engine that is asked: it has one route, of `host`, to the recorder. */
export interface Door {
  /** A connection that bytes can be written to: over TCP for HTTP/1, over TLS with ALPN h2 for HTTP/2 (or TCP, where that speaks it). */
  readonly connect: (over: Shape["over"]) => Promise<Duplex>;
  readonly host: string;
  readonly recorder: Recorder;
}

/** What the client got. */
interface Got {
  readonly bytes: Buffer;
  /** It was closed by the other side within the time. */
  readonly closed: boolean;
}

/** Sends the bytes, and reads until the other side closes, or `enough` says so. */
async function send(socket: Duplex, bytes: Buffer, enough: (got: Buffer) => boolean, seconds: number): Promise<Got> {
  let got: Buffer = Buffer.alloc(0);
  const closed = await new Promise<boolean>((resolve) => {
    const late = setTimeout(() => resolve(false), seconds * 1000);
    const end = (): void => {
      clearTimeout(late);
      resolve(true);
    };
    socket.on("data", (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      if (enough(got)) end();
    });
    socket.on("error", end);
    socket.on("end", end);
    socket.on("close", end);
    socket.write(bytes);
  });
  socket.destroy();
  return { bytes: got, closed };
}

/** Statuses of answers over HTTP/1, one after another; bodies here never look like one. */
const statusesIn = (bytes: Buffer): number[] =>
  [...bytes.toString("latin1").matchAll(/HTTP\/1\.[01] (\d{3})[ \r]/g)]
    .map(([, status]) => Number(status))
    .filter((status) => status >= 200);

/** The stream has its end, or the connection has. */
const hasEnded = (got: Buffer): boolean => {
  for (const { type, flags, stream } of framesIn(got)) {
    if (type === TYPE.GOAWAY || type === TYPE.RST_STREAM) return true;
    if (stream === 1 && (type === TYPE.DATA || type === TYPE.HEADERS) && (flags & 1) !== 0) return true;
  }
  return false;
};

/** Sends one shape; what is wrong with what became of it, or undefined. */
export async function runShape(
  shape: Shape,
  { connect, host, recorder }: Door,
  seconds = 20,
): Promise<string | undefined> {
  recorder.forget();
  const socket = await connect(shape.over);
  const own = shape.bytes(host);
  const isHttp2 = shape.over === "http2";
  const bytes = isHttp2 ? Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0), own]) : own;
  const got = await send(socket, bytes, isHttp2 ? hasEnded : () => false, seconds);
  const { requests, faults } = recorder;
  const statuses = isHttp2 ? [] : statusesIn(got.bytes);
  const told = `statuses [${statuses.join(", ")}], the backend got ${JSON.stringify(requests.map((each) => each.requestLine))}`;
  // The recorder's answer, whichever way it was framed; a header of it may be in Huffman's code, its body is not.
  const answers = got.bytes.toString("latin1").split("recorded").length - 1;

  if (faults.length > 0) return `the backend got what is no request: ${faults.join("; ")}`;
  if (!got.closed) return `the connection was neither answered nor closed within ${seconds} s; ${told}`;
  if (requests.some(({ requestLine }) => requestLine.includes("smuggled")))
    return `a hidden request got through; ${told}`;
  const passed = requests.map(({ requestLine, headers, body }) =>
    [requestLine, ...headers, body].join("\r\n").toLowerCase(),
  );
  const leaked = shape.never?.find((each) => passed.some((text) => text.includes(each)));
  if (leaked !== undefined) return `the backend got ${JSON.stringify(leaked)}`;
  if (requests.length > 1) return `more than one request got through; ${told}`;
  if (shape.status !== undefined && !statuses.includes(shape.status)) return `no ${shape.status}; ${told}`;
  const wasRefused = requests.length === 0 && answers === 0 && statuses.every((status) => status >= 400);
  const wasPassedOnce = requests.length === 1 && answers === 1;
  switch (shape.end) {
    case "refused":
      return wasRefused ? undefined : `it was not refused; ${told}`;
    case "once":
      return wasPassedOnce ? undefined : `it was not passed once; ${told}, answers ${answers}`;
    case "refused or once":
      return wasRefused || wasPassedOnce ? undefined : `it was neither refused nor passed once; ${told}`;
  }
}
