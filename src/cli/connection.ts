import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/connect.ts";
import type { DataLayout } from "./data/layout.ts";

/** A client for the API server of a data directory, over its Unix socket, which works from every network namespace. */
export async function clientOfDirectory(layout: DataLayout, userAgent = "fairlead"): Promise<Client> {
  const [ca, cert, key] = await Promise.all(
    ["ca.crt", "parts.crt", "parts.key"].map((name) => readFile(join(layout.pki, name), "utf8")),
  );
  return createClient({
    server: "https://localhost",
    socketPath: layout.serverSocket,
    ca: ca!,
    cert: cert!,
    key: key!,
    userAgent,
  });
}
