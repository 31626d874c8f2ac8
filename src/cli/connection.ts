import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/connect.ts";
import type { DataLayout } from "./data/layout.ts";

const read = (layout: DataLayout): Promise<string[]> =>
  Promise.all(["ca.crt", "parts.crt", "parts.key"].map((name) => readFile(join(layout.pki, name), "utf8")));

const connect = (layout: DataLayout, [ca, cert, key]: readonly string[], userAgent: string): Client =>
  createClient({
    server: "https://localhost",
    socketPath: layout.serverSocket,
    ca: ca!,
    cert: cert!,
    key: key!,
    userAgent,
  });

/** A client for the API server of a data directory, over its Unix socket, which works from every network namespace. */
export const clientOfDirectory = async (layout: DataLayout, userAgent = "fairlead"): Promise<Client> =>
  connect(layout, await read(layout), userAgent);

/** As {@link clientOfDirectory}, for a part that may be there before the server has made its certificates: it waits for them until the signal. */
export async function clientWhenReady(layout: DataLayout, userAgent: string, signal: AbortSignal): Promise<Client> {
  for (;;) {
    signal.throwIfAborted();
    const texts = await read(layout).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (texts !== undefined) return connect(layout, texts, userAgent);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
