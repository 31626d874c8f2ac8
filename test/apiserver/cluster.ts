import { request as httpsRequest, type RequestOptions } from "node:https";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { kinds } from "../../src/api/kinds.ts";
import { createApiServer, type ApiServer, type ApiServerOptions } from "../../src/apiserver/server.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { createAuthority, type Pair } from "./certificates.ts";

export interface Answered {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are looked into by the tests
  readonly body: any;
}

export interface AskOptions {
  readonly headers?: Record<string, string>;
  readonly as?: "admin" | "anonymous" | Pair;
}

/** A server over a store in memory, on a loopback port, with an administrator's certificate. */
export interface Cluster {
  readonly server: ApiServer;
  readonly store: Store;
  readonly port: number;
  readonly ca: string;
  readonly serverPair: Pair;
  readonly admin: Pair;
  readonly authority: Awaited<ReturnType<typeof createAuthority>>;
  ask(method: string, path: string, body?: unknown, options?: AskOptions): Promise<Answered>;
  /** Opens a request whose answer is read as it comes. */
  open(method: string, path: string, options?: AskOptions): Promise<IncomingMessage>;
  close(): Promise<void>;
}

export async function createCluster(options: Partial<ApiServerOptions> = {}): Promise<Cluster> {
  const authority = await createAuthority();
  const [serverPair, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const store = options.store ?? memoryStore();
  const server = await createApiServer({ store, kinds, tls: { ...serverPair, ca: authority.cert }, ...options });
  const port = await server.listen({ host: "127.0.0.1", port: 0 });

  const open = (
    method: string,
    path: string,
    body: Buffer | undefined,
    { headers = {}, as = "admin" }: AskOptions = {},
  ) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const pair = as === "admin" ? admin : as === "anonymous" ? undefined : as;
      const said: RequestOptions = {
        host: "127.0.0.1",
        port,
        method,
        path,
        ca: authority.cert,
        headers: { ...(body === undefined ? {} : { "content-length": body.length }), ...headers },
        ...(pair === undefined ? {} : { key: pair.key, cert: pair.cert }),
        agent: false,
      };
      const request = httpsRequest(said, resolve);
      request.on("error", reject);
      request.end(body);
    });

  const cluster: Cluster = {
    server,
    store,
    port,
    ca: authority.cert,
    serverPair,
    admin,
    authority,
    open: (method, path, asked) => open(method, path, undefined, asked),
    ask: async (method, path, body, asked = {}) => {
      const isText = typeof body === "string" || Buffer.isBuffer(body);
      const bytes = body === undefined ? undefined : Buffer.from(isText ? (body as string) : JSON.stringify(body));
      const headers = { ...(bytes === undefined ? {} : { "content-type": "application/json" }), ...asked.headers };
      const message = await open(method, path, bytes, { ...asked, headers });
      let text = "";
      for await (const chunk of message) text += String(chunk);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        parsed = undefined;
      }
      return { code: message.statusCode ?? 0, headers: message.headers, text, body: parsed };
    },
    close: async () => {
      await server.close();
      await store.close();
    },
  };
  for (const name of ["default", "kube-system"]) {
    await cluster.ask("POST", "/api/v1/namespaces", { metadata: { name } });
  }
  return cluster;
}
