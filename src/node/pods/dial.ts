import type { Socket } from "node:net";
import { ApiError } from "../../api/status.ts";
import { connectIn } from "../../host/namespace-socket.ts";
import { namespacePath, type Sandbox } from "../sandbox/sandbox.ts";

/** How long a pod may take to answer a connection, in milliseconds. */
const PATIENCE = 10_000;

const written = (host: string, port: number): string => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

/** In the words that the tools of Kubernetes have for it. */
function complaint(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "connect: connection refused";
  return error.message;
}

/** Resolves once it is connected. Rejects with why it is not, after all that was begun is undone. */
function connected(socket: Socket, where: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(PATIENCE);
    const failed = (why: string): void => {
      socket.destroy();
      reject(new ApiError("ServiceUnavailable", `dial tcp ${where}: ${why}`));
    };
    socket.once("error", (error: NodeJS.ErrnoException) => failed(complaint(error)));
    socket.once("timeout", () => failed(`no answer within ${PATIENCE / 1000} s`));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.removeAllListeners("timeout");
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

/** A connection to an address of this node's network. @throws ApiError ServiceUnavailable when nothing answers there */
export const dial = async (host: string, port: number): Promise<Socket> =>
  connected(connectIn(undefined, host, port), written(host, port));

const LOOPBACKS = ["127.0.0.1", "::1"];

/**
 * A connection to a port as programs of the pod see it: on its loopback, else at its addresses. Many programs listen on one of both only.
 * @throws ApiError ServiceUnavailable with what each said, when nothing answers
 */
export async function dialInside(sandbox: Sandbox, port: number): Promise<Socket> {
  // What many pods share has no loopback that is one pod's.
  const inside = sandbox.network === "shared" ? [] : LOOPBACKS;
  const ways = [
    ...inside.map((host) => ({ host, namespace: namespacePath(sandbox) })),
    ...sandbox.addresses.map((host) => ({ host, namespace: undefined })),
  ];
  const complaints: string[] = [];
  for (const { host, namespace } of ways) {
    try {
      return await connected(connectIn(namespace, host, port), written(host, port));
    } catch (error) {
      complaints.push((error as Error).message);
    }
  }
  throw new ApiError("ServiceUnavailable", complaints.join("; "));
}
