import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const http = process.getBuiltinModule("node:http");

/** Where a server listens. `host` is an address; `::` is of IPv6 alone here, so that both wildcards can stand beside each other. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Take IPv4 too, as Go does for `[::]:PORT`. */
  readonly both?: boolean;
}

/** Reads `ADDRESS:PORT` or `[ADDRESS]:PORT`. As upstream, a wildcard address is of both families. */
export function listenAddress(text: string): ListenAddress {
  const [, six, four, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const host = six ?? four ?? "";
  const isWildcard = host === "" || host === "::" || host === "0.0.0.0";
  return { host: isWildcard ? "::" : host, port: Number(port), ...(isWildcard ? { both: true } : {}) };
}

/** Opens a server, or rejects with a sentence that names the address. */
export function listen(address: ListenAddress, answer: RequestListener): Promise<Server> {
  const { host, port, both = false } = address;
  const server = http.createServer({ keepAliveTimeout: 60_000, requestTimeout: 10_000 }, answer);
  // Nobody waits for a process to end because somebody asks for its health.
  server.unref();
  const open = (at: string): Promise<Server> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: at, port, exclusive: true, ipv6Only: at.includes(":") && !both }, () => {
        server.removeListener("error", reject);
        resolve(server);
      });
    });
  return open(host)
    .catch((cause: NodeJS.ErrnoException) => {
      // A kernel without IPv6 has no `::`.
      if (both && cause.code === "EAFNOSUPPORT") return open("0.0.0.0");
      throw cause;
    })
    .catch((cause: Error) => {
      throw new Error(`listening on ${host.includes(":") ? `[${host}]` : host}:${port}: ${cause.message}`, { cause });
    });
}

export const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/** Answers once, whole. */
export function send(response: ServerResponse, code: number, type: string, body: string): void {
  response.writeHead(code, {
    "content-type": type,
    "x-content-type-options": "nosniff",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** The path that is asked for, without its query. */
export const pathOf = (request: IncomingMessage): string => (request.url ?? "/").split("?")[0]!;
