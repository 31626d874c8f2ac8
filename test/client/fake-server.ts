import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import type { KubeObject } from "../../src/api/object.ts";
import type { Certificates } from "./certificates.ts";

/** What a request is answered with instead of the truth. Returns false to let the truth be answered after all. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

interface Open {
  readonly response: ServerResponse;
}

/** A server of ConfigMaps in one namespace that can be told to misbehave. Its `truth` is what a cache must come to hold. */
export class FakeServer {
  readonly truth = new Map<string, KubeObject>();
  readonly requests: string[] = [];
  /** Taken one by one, by the next list or watch. */
  readonly listFaults: Misbehaviour[] = [];
  readonly watchFaults: Misbehaviour[] = [];
  readonly #log: { version: number; type: string; object: KubeObject }[] = [];
  readonly #open = new Set<Open>();
  readonly #certificates: Certificates;
  #server: https.Server | undefined;
  #version = 100;
  #uids = 0;
  /** Nothing is answered any more, and nobody is told: the program is stopped, but its connections are open. */
  frozen = false;
  /** The code that a question for a sign of life is answered with. */
  sign = 200;
  /** Watches from before this version are answered 410. */
  compacted = 0;
  port = 0;
  sessionsReused = 0;
  connections = 0;

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
  }

  async start(at: { port?: number; path?: string } = {}): Promise<void> {
    const server = https.createServer({ cert: this.#certificates.cert, key: this.#certificates.key });
    server.on("request", (request, response) => this.#answer(request, response));
    server.on("secureConnection", (socket) => {
      this.connections += 1;
      if (socket.isSessionReused()) this.sessionsReused += 1;
    });
    this.#server = server;
    await new Promise<void>((resolve) => {
      if (at.path === undefined) server.listen(at.port ?? this.port, "127.0.0.1", resolve);
      else server.listen(at.path, resolve);
    });
    if (at.path === undefined) this.port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.#server?.closeAllConnections();
    await closed;
  }

  get url(): string {
    return `https://localhost:${this.port}`;
  }

  get watching(): number {
    return this.#open.size;
  }

  put(name: string, value: string): void {
    const previous = this.truth.get(name);
    this.#version += 1;
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        namespace: "default",
        name,
        uid: previous?.metadata.uid ?? `uid-${(this.#uids += 1)}`,
        resourceVersion: String(this.#version),
      },
      data: { value },
    };
    this.truth.set(name, object);
    this.#tell(previous === undefined ? "ADDED" : "MODIFIED", object);
  }

  remove(name: string): void {
    const previous = this.truth.get(name);
    if (previous === undefined) throw new Error(`no ${name}`);
    this.truth.delete(name);
    this.#version += 1;
    this.#tell("DELETED", {
      ...previous,
      metadata: { ...previous.metadata, resourceVersion: String(this.#version) },
    });
  }

  /** Forgets the history: every watch from before now is too old. */
  compact(): void {
    this.compacted = this.#version;
  }

  /** Acts on every open watch: resets it, writes half a line, ends it. */
  eachWatch(act: (response: ServerResponse) => void): void {
    if (this.frozen) return;
    for (const { response } of this.#open) act(response);
  }

  /** Says how far the server is, after writes to other resources that these watches do not show. */
  bookmark(): void {
    this.#version += 10;
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { resourceVersion: String(this.#version) } };
    this.eachWatch((response) => response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`));
  }

  #tell(type: string, object: KubeObject): void {
    this.#log.push({ version: this.#version, type, object });
    this.eachWatch((response) => response.write(`${JSON.stringify({ type, object })}\n`));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    if (this.frozen) return;
    if (request.url === "/version") {
      response.writeHead(this.sign, { "content-type": "application/json" });
      response.end("{}");
      return;
    }
    const url = new URL(request.url ?? "/", "https://localhost");
    const watch = url.searchParams.get("watch") === "true";
    const fault = (watch ? this.watchFaults : this.listFaults).shift();
    if (fault?.(request, response) === true) return;
    if (watch) this.#watch(url, response);
    else this.#list(url, response);
  }

  #list(url: URL, response: ServerResponse): void {
    const limit = Number(url.searchParams.get("limit") ?? 1e9);
    const start = Number(url.searchParams.get("continue") ?? 0);
    const all = [...this.truth.values()];
    const items = all.slice(start, start + limit);
    const more = start + limit < all.length;
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMapList",
        metadata: { resourceVersion: String(this.#version), ...(more ? { continue: String(start + limit) } : {}) },
        items,
      }),
    );
  }

  #watch(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get("resourceVersion"));
    if (from < this.compacted) return refuse(response, 410, "Expired");
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const { version, type, object } of this.#log) {
      if (version > from) response.write(`${JSON.stringify({ type, object })}\n`);
    }
    const open = { response };
    this.#open.add(open);
    response.on("close", () => this.#open.delete(open));
  }
}

export const status = (code: number, reason: string): object => ({
  apiVersion: "v1",
  kind: "Status",
  metadata: {},
  status: "Failure",
  reason,
  message: `said ${reason}`,
  code,
});

export function refuse(response: ServerResponse, code: number, reason: string): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(status(code, reason)));
}
