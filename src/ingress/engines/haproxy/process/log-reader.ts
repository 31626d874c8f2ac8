import { rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";

/** Lines longer than this are none. */
const LINE = 65_536;

/** Where HAProxy's workers send their log. They wait for nobody: what cannot be sent is dropped there. */
export interface LogReader {
  close(): Promise<void>;
}

export async function readLog(path: string, hear: (line: string) => void): Promise<LogReader> {
  await rm(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding("utf8");
    let rest = "";
    socket.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      if (rest.length > LINE) rest = "";
      for (const line of lines) hear(line);
    });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  // A log alone is no reason to stay.
  server.unref();
  return {
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
