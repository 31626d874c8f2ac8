import { BroadcastChannel, parentPort, workerData } from "node:worker_threads";
import { namespaces, services } from "../../src/api/resources.ts";
import { fromHeld, stopAtExit } from "../../src/cli/site/held-opener.ts";
import type { WorkerConfig, WorkerOrder } from "../../src/cli/site/protocol.ts";
import { startDns } from "../../src/dns/dns.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { createObjects } from "./objects.ts";
import { configurationOf } from "./running.ts";
import { SERVICES } from "./testns.ts";

/** Cluster DNS as a thread of the site is, but with the ledger's objects, and it dies as it is told. */
const { sockets = [] } = workerData as WorkerConfig;
const channel = new BroadcastChannel("dying");
channel.addEventListener("message", (event) => {
  const { data } = event as unknown as { readonly data: unknown };
  if (data !== "throw" && data !== "exit" && data !== "reject") return;
  // Nothing else of this thread runs from here on.
  channel.postMessage("dead");
  if (data === "exit") process.exit(1);
  if (data === "throw") throw new Error("thrown");
  void Promise.reject(new Error("rejected"));
});
const objects = createObjects();
for (const name of ["default", "testns"]) {
  objects.put(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
}
for (const each of SERVICES) objects.put(services, each);
const { servers } = configurationOf({ block: { bind: [...new Set(sockets.map(({ ip }) => ip))] } });
const dns = await startDns({
  client: objects,
  clock: systemClock,
  random: Math.random,
  log: silentLog,
  configuration: { servers: servers.map((each) => ({ ...each, port: sockets[0]!.port })) },
  opening: { openSocket: fromHeld(sockets) },
});
stopAtExit(dns);
parentPort!.on("message", (order: WorkerOrder) => {
  if (order === "site-ready") return;
  channel.close();
  parentPort!.close();
  void dns.stop();
});
await dns.synced();
parentPort!.postMessage("ready");
