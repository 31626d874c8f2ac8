/** Fairlead's API server on SQLite as a process of its own, for benchmarks that measure its clients. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { startApiServer } from "../src/apiserver/start.ts";
import type { Client } from "../src/client/client.ts";
import { createClient } from "../src/client/connect.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite.ts";
import { createAuthority } from "../test/apiserver/certificates.ts";

/** How a server is reached. */
export interface Access {
  readonly port: number;
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

export const clientOf = ({ port, ...identity }: Access): Client =>
  createClient({ server: `https://127.0.0.1:${port}`, ...identity });

/** The text of a kubeconfig file for it. */
export const kubeconfigOf = ({ port, ca, cert, key }: Access): string => {
  const data = (text: string): string => Buffer.from(text).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "bench",
    contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
    clusters: [
      {
        name: "bench",
        cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority-data": data(ca) },
      },
    ],
    users: [{ name: "bench", user: { "client-certificate-data": data(cert), "client-key-data": data(key) } }],
  });
};

/** Ends this process in good order when who forked it lets go. */
export const whenAlone = (stop: () => Promise<unknown>): unknown =>
  process.on("disconnect", () => void stop().then(() => process.exit(0)));

/** Forks a module with a role and what it needs; answers the process and its first message. */
export async function forked(module: string, ...args: string[]): Promise<[ChildProcess, unknown]> {
  const child = fork(module, args, { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const [ready] = (await once(child, "message")) as [unknown];
  return [child, ready];
}

async function serve(folder: string): Promise<void> {
  const store = await openSqliteStore({ path: join(folder, "store.db"), log: silentLog });
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const api = await startApiServer({
    store,
    serviceRanges: ["10.96.0.0/12"],
    nodePortRange: { first: 30_000, last: 32_767 },
    advertise: { ip: "192.0.2.1", port: 6443 },
    tls: { ...server, ca: authority.cert },
    clock: systemClock,
    log: silentLog,
  });
  const port = await api.listen({ host: "127.0.0.1", port: 0 });
  process.send!({ port, ca: authority.cert, ...admin });
  whenAlone(() => api.close().then(() => store.close()));
}

/** The store is a file in the folder. */
export async function serveApiFor(folder: string): Promise<Access & { close(): Promise<void> }> {
  const [child, access] = (await forked(import.meta.filename, "api", folder)) as [ChildProcess, Access];
  return {
    ...access,
    close: async () => {
      child.disconnect();
      await once(child, "exit");
    },
  };
}

const [, file, role, given = ""] = process.argv;
if (file === import.meta.filename && role === "api") await serve(given);
