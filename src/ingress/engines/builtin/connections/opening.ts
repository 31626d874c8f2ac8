import type { Socket } from "node:net";
import { readHello } from "../tls/client-hello.ts";
import { readProxyHeader } from "../proxy-protocol/header.ts";
import type { ProxiedClient } from "../proxy-protocol/outcome.ts";

/** How HTTP/2 begins where TLS has not said that it does (RFC 9113 §3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** What a connection has turned out to be. */
export type Opened =
  | { readonly is: "tls"; readonly serverName: string | undefined }
  | { readonly is: "http1" }
  | { readonly is: "http2" }
  /** Something that is not TLS where TLS should be. */
  | { readonly is: "not-tls" }
  | { readonly is: "refused"; readonly why: string };

export interface OpeningSteps {
  readonly proxyProtocol: boolean;
  readonly tls: boolean;
  proxied(client: ProxiedClient): void;
  opened(what: Opened): void;
}

/** Reads what comes before HTTP, byte for byte as it comes, and leaves the rest unread. */
export function readOpening(socket: Socket, steps: OpeningSteps): void {
  let bytes: Buffer = Buffer.alloc(0);
  let awaitsProxy = steps.proxyProtocol;

  const finish = (what: Opened): void => {
    socket.off("data", take);
    socket.off("end", ended);
    socket.pause();
    if (bytes.length > 0) socket.unshift(bytes);
    steps.opened(what);
  };
  const take = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    if (awaitsProxy) {
      const header = readProxyHeader(bytes);
      if (header.state === "more") return;
      if (header.state === "bad") return finish({ is: "refused", why: header.why });
      awaitsProxy = false;
      bytes = bytes.subarray(header.length);
      if (header.client !== "local") steps.proxied(header.client);
    }
    const what = steps.tls ? readTls(bytes) : readPlain(bytes);
    if (what !== undefined) finish(what);
  };
  const ended = (): void => void socket.destroy();
  socket.on("data", take);
  socket.on("end", ended);
}

function readTls(bytes: Buffer): Opened | undefined {
  const hello = readHello(bytes);
  if (hello.state === "more") return undefined;
  return hello.state === "done" ? { is: "tls", serverName: hello.serverName } : { is: "not-tls" };
}

function readPlain(bytes: Buffer): Opened | undefined {
  if (bytes.length === 0) return undefined;
  const length = Math.min(bytes.length, PREFACE.length);
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return { is: "http1" };
  return length < PREFACE.length ? undefined : { is: "http2" };
}
