import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "../../api/status.ts";
import type { NodeAnswer, Streams } from "../streams.ts";
import { nodeWords } from "./node-words.ts";
import { nodeSocket, type NodeStreamsOptions } from "./node-socket.ts";
import { join } from "./join.ts";
import { upgradeHead } from "./upgrade-head.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { request: httpRequest } = process.getBuiltinModule("node:http");

export type { NodeStreamsOptions } from "./node-socket.ts";

/** The API server's way to the endpoints of nodes: HTTP/1.1 over TLS, a connection for each request. */
export function nodeStreams(options: NodeStreamsOptions): Streams {
  return {
    async log({ nodeName, path }, signal) {
      signal.throwIfAborted();
      const socket = await nodeSocket(options, nodeName);
      return new Promise<NodeAnswer>((resolve, reject) => {
        const asked = httpRequest({ createConnection: () => socket, host: nodeName, path, signal });
        asked.once("response", (body: IncomingMessage) => {
          // A cut shows at the reader of the body; without a listener it would end us.
          body.on("error", () => {});
          resolve({ code: body.statusCode ?? 502, headers: body.headers, body });
        });
        asked.on("error", (cause: Error) => {
          socket.destroy();
          reject(
            new ApiError("InternalError", `asking node ${nodeName} for ${path}: ${cause.message}`, undefined, {
              cause,
            }),
          );
        });
        asked.end();
      });
    },
    async dial({ nodeName, path }) {
      const socket = await nodeSocket(options, nodeName);
      return new Promise<Duplex>((resolve, reject) => {
        const failed = (why: string): void => {
          socket.destroy();
          reject(new ApiError("ServiceUnavailable", why));
        };
        const asked = httpRequest({
          createConnection: () => socket,
          host: nodeName,
          path,
          headers: { connection: "Upgrade", upgrade: "tcp" },
        });
        asked.once("upgrade", (_, connection: Duplex, head: Buffer) => {
          if (head.length > 0) connection.unshift(head);
          resolve(connection);
        });
        asked.once("response", (answer: IncomingMessage) => {
          void nodeWords(answer).then((words) => failed(words || `node ${nodeName} answered ${answer.statusCode}`));
        });
        asked.on("error", (cause: Error) => failed(`asking node ${nodeName} for ${path}: ${cause.message}`));
        asked.end();
      });
    },
    async upgrade({ nodeName, path }, client, socket, head) {
      const node = await nodeSocket(options, nodeName);
      node.write(upgradeHead(client.method ?? "GET", path, nodeName, client.rawHeaders));
      if (head.length > 0) node.write(head);
      await join(socket, node);
    },
  };
}
