import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

/** One whole request as it came. */
export interface Recorded {
  readonly requestLine: string;
  /** Lines as they came. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** A backend that believes nothing: it takes only requests that can be read in one way, and answers 200. */
export interface Recorder {
  readonly port: number;
  /** Whole requests since `forget`. */
  readonly requests: readonly Recorded[];
  /** What came and was no request as it should be. */
  readonly faults: readonly string[];
  forget(): void;
  close(): Promise<void>;
}

const LINE = /^[A-Z]+ (?:\/[!-~]*|\*) HTTP\/1\.1$/;
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;

/** The first request in `text`, and what comes after it; undefined: it has not come to its end. Throws for what is none. */
function requestIn(text: string): { request: Recorded; rest: string } | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [requestLine = "", ...headers] = text.slice(0, end).split("\r\n");
  if (!LINE.test(requestLine)) throw new Error(`request line ${JSON.stringify(requestLine)}`);
  const wrong = headers.find((header) => !HEADER.test(header));
  if (wrong !== undefined) throw new Error(`header line ${JSON.stringify(wrong)}`);
  const values = (name: string): string[] =>
    headers
      .filter((each) => each.toLowerCase().startsWith(`${name}:`))
      .map((each) => each.slice(name.length + 1).trim());
  const lengths = values("content-length");
  const codings = values("transfer-encoding");
  if (values("host").length !== 1) throw new Error(`Host ${JSON.stringify(values("host"))}`);
  if (lengths.length + codings.length > 1) throw new Error(`lengths ${JSON.stringify([...lengths, ...codings])}`);
  let at = end + 4;
  if (codings.length === 1) {
    if (codings[0] !== "chunked") throw new Error(`Transfer-Encoding ${codings[0]}`);
    let body = "";
    for (;;) {
      const line = text.indexOf("\r\n", at);
      if (line < 0) return undefined;
      const size = text.slice(at, line);
      if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw new Error(`chunk size ${JSON.stringify(size)}`);
      const length = Number.parseInt(size, 16);
      at = line + 2;
      if (length === 0) {
        const last = text.startsWith("\r\n", at) ? at : text.indexOf("\r\n\r\n", at) + 2;
        if (last < at || text.length < last + 2) return undefined;
        return { request: { requestLine, headers, body }, rest: text.slice(last + 2) };
      }
      if (text.length < at + length + 2) return undefined;
      if (text.slice(at + length, at + length + 2) !== "\r\n")
        throw new Error("a chunk that does not end where it should");
      body += text.slice(at, at + length);
      at += length + 2;
    }
  }
  const length = lengths[0] ?? "0";
  if (!/^\d{1,15}$/.test(length)) throw new Error(`Content-Length ${length}`);
  if (text.length < at + Number(length)) return undefined;
  const body = text.slice(at, at + Number(length));
  return { request: { requestLine, headers, body }, rest: text.slice(at + Number(length)) };
}

export async function startRecorder(address = "127.0.0.1", port = 0): Promise<Recorder> {
  let requests: Recorded[] = [];
  let faults: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let text = "";
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      try {
        for (let found = requestIn(text); found !== undefined; found = requestIn(text)) {
          requests.push(found.request);
          text = found.rest;
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Recorder: yes\r\n\r\nrecorded");
        }
      } catch (error) {
        faults.push((error as Error).message);
        socket.destroy();
      }
    });
  });
  server.listen(port, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    get faults() {
      return faults;
    },
    forget() {
      requests = [];
      faults = [];
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
