import { constants } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { ApiError } from "../../api/status.ts";
import { systemClock, type Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Part } from "../../observe/part.ts";
import type { PodSource } from "../pods/pod-source.ts";
import { refuseUpgrade, sendStatus, statusOf } from "./answer-status.ts";
import { logOptions } from "./logs/log-options.ts";
import { sendLogs } from "./logs/send-logs.ts";
import { serveDial } from "./serve-dial.ts";
import { serveExec } from "./serve-exec.ts";
import { servePortForward } from "./serve-port-forward.ts";
import { readTarget } from "./target.ts";

export interface NodeEndpointOptions {
  readonly listen: { readonly path: string } | { readonly host: string; readonly port: number };
  /** PEM texts: the node's own certificate, and the authority whose client certificates are believed. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly log: Log;
  readonly source: PodSource;
  /** The common name of the only client that is served: the API server. */
  readonly clientName?: string;
  readonly clock?: Clock;
}

export interface NodeEndpoint extends Part {
  /** The port taken; 0 for a Unix socket. */
  readonly port: number;
}

const API_SERVER = "kube-apiserver-kubelet-client";

async function listen(server: Server, at: NodeEndpointOptions["listen"]): Promise<number> {
  // A socket file that a dead endpoint left would make the address taken for ever.
  if ("path" in at) await rm(at.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => {
      server.off("error", reject);
      resolve();
    });
  });
  if ("path" in at) await chmod(at.path, 0o600);
  return "path" in at ? 0 : (server.address() as AddressInfo).port;
}

/**
 * Serves kubelet's paths over HTTPS: `/containerLogs`, `/exec`, `/attach`, `/portForward`, `/healthz`; and `/dial`, a connection to a pod's
 * port. Only for clients with a certificate of the authority and of the name `clientName`. Resolves once it listens. `stop` ends logs and commands under way.
 */
export async function startNodeEndpoint(options: NodeEndpointOptions): Promise<NodeEndpoint> {
  const { source, log, clock = systemClock, clientName = API_SERVER } = options;
  const sockets = new Set<Duplex>();

  const admit = (socket: TLSSocket): void => {
    const { CN } = socket.getPeerCertificate().subject ?? {};
    if (socket.authorized && CN === clientName) return;
    throw new ApiError("Forbidden", `the node endpoint is for ${clientName} only, not for ${String(CN)}`);
  };

  const serve = async (request: IncomingMessage, answer: ServerResponse): Promise<void> => {
    try {
      admit(request.socket as TLSSocket);
      const target = readTarget(request.url ?? "/");
      if (target.operation === "healthz") {
        answer.writeHead(200, { "content-type": "text/plain" }).end("ok");
        return;
      }
      if (target.operation !== "containerLogs") throw new ApiError("BadRequest", "Upgrade request required");
      if (request.method !== "GET") throw new ApiError("MethodNotAllowed", "logs are had with GET");
      const asked = logOptions(target.query, clock.now());
      await sendLogs((signal) => source.logs(target.at, asked, signal), answer);
    } catch (error) {
      sendStatus(answer, statusOf(error, log, request.url ?? ""));
    }
  };

  const upgrade = async (request: IncomingMessage, socket: TLSSocket, head: Buffer): Promise<void> => {
    socket.on("error", (error) => log.debug({ error: error.message }, "a connection to the node endpoint broke"));
    try {
      admit(socket);
      const target = readTarget(request.url ?? "/");
      if (target.operation === "dial") return await serveDial(source, target, socket, head);
      const given = { request, socket, head, log };
      if (target.operation === "portForward") return await servePortForward(source, target, given);
      if (target.operation === "exec" || target.operation === "attach") return await serveExec(source, target, given);
      throw new ApiError("BadRequest", `${target.operation} is had without an upgrade of the connection`);
    } catch (error) {
      refuseUpgrade(socket, statusOf(error, log, request.url ?? ""));
    }
  };

  const server = createServer({
    ...options.tls,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    // A resumed session would be believed without its certificate being looked at again.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ["http/1.1"],
  });
  server.on("request", (request, answer) => void serve(request, answer));
  server.on("upgrade", (request, socket: Duplex, head) => void upgrade(request, socket as TLSSocket, head));
  server.on("tlsClientError", (error) => log.debug({ error: error.message }, "a TLS handshake failed"));
  server.on("connection", (socket: Duplex) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listen(server, options.listen);
  server.on("error", (error) => log.error({ error: error.message }, "the node endpoint's socket failed"));

  return {
    port,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
