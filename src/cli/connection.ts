import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/connect.ts";
import type { DataLayout } from "./data/layout.ts";

/** Whose certificate is shown: one part's, with just the rights it needs, or that of all the others, which may do everything. */
export type Credentials = "parts" | "part-node" | "part-proxy" | "part-dns" | "part-ingress";

const read = (layout: DataLayout, as: Credentials): Promise<string[]> =>
  Promise.all(["ca.crt", `${as}.crt`, `${as}.key`].map((name) => readFile(join(layout.pki, name), "utf8")));

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
export const clientOfDirectory = async (
  layout: DataLayout,
  userAgent = "fairlead",
  as: Credentials = "parts",
): Promise<Client> => connect(layout, await read(layout, as), userAgent);

/** As {@link clientOfDirectory}, for a part that may be there before the server has made its certificates: it waits for them until the signal. */
export async function clientWhenReady(
  layout: DataLayout,
  userAgent: string,
  as: Credentials,
  signal: AbortSignal,
): Promise<Client> {
  for (;;) {
    signal.throwIfAborted();
    const texts = await read(layout, as).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (texts !== undefined) return connect(layout, texts, userAgent);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
