import { connect, createServer, type Server, type Socket } from "node:net";
import { chmod, rm } from "node:fs/promises";
import { joinDatagrams } from "./datagrams.ts";
import { LONGEST_REQUEST, readRequest } from "./destination.ts";

/** Joins two connections, each end of one being the end of the other. */
export function join(one: Socket, other: Socket): void {
  one.pipe(other);
  other.pipe(one);
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
}

/**
 * Lets programs outside the site's network reach its node ports and load balancers: a connection to this Unix socket begins with a
 * destination and a line feed, and is then joined to that; datagrams come and go on it as frames. Only the site's user can open the socket.
 */
export async function startDialer(path: string, nodeAddress: string): Promise<Server> {
  await rm(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\n");
      if (end === -1 && head.length <= LONGEST_REQUEST) return;
      incoming.off("data", read);
      incoming.pause();
      const to = end === -1 ? undefined : readRequest(head.subarray(0, end).toString());
      if (to === undefined) {
        incoming.destroy();
        return;
      }
      if (head.length > end + 1) incoming.unshift(head.subarray(end + 1));
      const host = to.ip ?? nodeAddress;
      if (to.protocol === "UDP") {
        joinDatagrams(incoming, host, to.port);
        incoming.resume();
        return;
      }
      const outgoing = connect({ host, port: to.port, allowHalfOpen: true });
      join(incoming, outgoing);
    };
    incoming.on("error", () => incoming.destroy());
    incoming.on("data", read);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return server;
}
