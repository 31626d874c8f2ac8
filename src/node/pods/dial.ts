import { connect, type Socket } from "node:net";
import { ApiError } from "../../api/status.ts";

/** How long a pod may take to answer a connection, in milliseconds. */
const PATIENCE = 10_000;

/** A connection to an address of this node's network. @throws ApiError ServiceUnavailable when nothing answers there */
export const dial = (host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: PATIENCE });
    const failed = (why: string): void => {
      socket.destroy();
      reject(new ApiError("ServiceUnavailable", why));
    };
    const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    socket.once("error", (error: NodeJS.ErrnoException) => failed(`dial tcp ${where}: ${error.message}`));
    socket.once("timeout", () => failed(`dial tcp ${where}: no answer within ${PATIENCE / 1000} s`));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.removeAllListeners("timeout");
      socket.setTimeout(0);
      resolve(socket);
    });
  });
