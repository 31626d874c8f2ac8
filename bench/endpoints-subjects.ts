/** What bench/endpoints.bench.ts measures: Fairlead's API server and controllers, each a process of its own, and Kubernetes'. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { startApiServer } from "../src/apiserver/start.ts";
import type { Client } from "../src/client/client.ts";
import { createClient } from "../src/client/connect.ts";
import { startControllers } from "../src/controllers/start.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite.ts";
import { createAuthority } from "../test/apiserver/certificates.ts";
import { startKubernetes } from "../test/conformance/kubernetes.ts";

/** How a server is reached. */
interface Access {
  readonly port: number;
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}
/** A running API server with controllers. */
export interface Measured extends Access {
  /** The process of the controllers. */
  readonly controllers: number;
  close(): Promise<void>;
}

export const clientOf = ({ port, ...identity }: Access): Client =>
  createClient({ server: `https://127.0.0.1:${port}`, ...identity });
const whenAlone = (stop: () => Promise<unknown>): unknown =>
  process.on("disconnect", () => void stop().then(() => process.exit(0)));

async function serveApi(folder: string): Promise<void> {
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

async function serveControllers(access: Access): Promise<void> {
  const client = clientOf(access);
  const part = await startControllers({ client, clock: systemClock, random: Math.random, log: silentLog });
  process.send!({});
  whenAlone(() => part.stop().then(() => client.close()));
}

async function started(...args: string[]): Promise<[ChildProcess, unknown]> {
  const child = fork(import.meta.filename, args, { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const [ready] = (await once(child, "message")) as [unknown];
  return [child, ready];
}

/** Fairlead on SQLite, its file in the folder. */
export async function fairlead(folder: string): Promise<Measured> {
  const [api, access] = (await started("api", folder)) as [ChildProcess, Access];
  const [controllers] = await started("controllers", JSON.stringify(access));
  return {
    ...access,
    controllers: controllers.pid!,
    close: async () => {
      for (const child of [controllers, api]) {
        child.disconnect();
        await once(child, "exit");
      }
    },
  };
}

/** kube-apiserver on etcd with kube-controller-manager, which is given these flags beside. */
export async function kubernetes(...flags: string[]): Promise<Measured> {
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const running = await startKubernetes({
    ca: authority.cert,
    server,
    admin,
    serviceRanges: ["10.96.0.0/12"],
    controllers: true,
    // Those that are measured, and none that would take pods from a node without a kubelet.
    managerFlags: [
      "--controllers=endpointslice-controller,endpoints-controller,endpointslice-mirroring-controller",
      ...flags,
    ],
  });
  const { port, managerPid } = running;
  return { port, ca: authority.cert, ...admin, controllers: managerPid!, close: () => running.close() };
}

// Forked by `started`.
const [, file, role, given = ""] = process.argv;
if (file === import.meta.filename && role === "api") await serveApi(given);
if (file === import.meta.filename && role === "controllers") await serveControllers(JSON.parse(given) as Access);
