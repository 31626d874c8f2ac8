import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { startApiServer } from "../../src/apiserver/start.ts";
import type { ApiServer } from "../../src/apiserver/server.ts";
import { createClient } from "../../src/client/connect.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { createAuthority, type Pair } from "../apiserver/certificates.ts";

/** One change of one Service, as a client must hear of it. */
export interface Heard {
  readonly type: "ADD" | "UPDATE" | "DELETE";
  readonly name: string;
  readonly count: string;
}

/** A server over a file, on a port that stays the same over restarts. */
export interface RestartingServer {
  readonly port: number;
  readonly ca: string;
  readonly admin: Pair;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startRestartingServer(): Promise<RestartingServer> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-clients-"));
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  let store: Store;
  let api: ApiServer;
  let port = 0;
  const start = async (): Promise<void> => {
    store = await openSqliteStore({ path: join(folder, "store.db"), log: silentLog });
    api = await startApiServer({
      store,
      serviceRanges: ["10.96.0.0/16"],
      nodePortRange: { first: 30000, last: 32767 },
      advertise: { ip: "10.244.0.1", port: 6443 },
      tls: { ...server, ca: authority.cert },
      clock: systemClock,
      log: silentLog,
    });
    port = await api.listen({ host: "127.0.0.1", port });
  };
  const stop = async (): Promise<void> => {
    await api.close();
    await store.close();
  };
  await start();
  return {
    port,
    ca: authority.cert,
    admin,
    async restart() {
      await stop();
      await start();
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Names that are changed side by side; the changes of each come one after the other. */
const NAMES = 40;

/**
 * Makes that many changes of Services (created, updated, deleted, and created again), and restarts the server in between. Answers, for each name,
 * what happened to it in order.
 */
export async function makeChanges(
  server: RestartingServer,
  namespace: string,
  changes: number,
  restarts: number,
): Promise<Map<string, Heard[]>> {
  const { port, ca, admin } = server;
  const client = createClient({ server: `https://127.0.0.1:${port}`, ca, ...admin });
  const told = new Map<string, Heard[]>();
  const perName = Math.ceil(changes / NAMES);
  const perRound = Math.ceil(perName / (restarts + 1));
  const held = new Map<string, Service>();
  const change = async (name: string, step: number): Promise<Heard> => {
    const count = String(step);
    const before = held.get(name);
    if (before === undefined) {
      const fresh: Service = {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace, annotations: { count } },
        spec: { ports: [{ port: 80 }] },
      };
      held.set(name, await client.create<Service>(services, fresh));
      return { type: "ADD", name, count };
    }
    if (step % 10 === 9) {
      await client.delete(services, { namespace, name });
      held.delete(name);
      return { type: "DELETE", name, count: before.metadata.annotations?.["count"] ?? "" };
    }
    const next = { ...before, metadata: { ...before.metadata, annotations: { count } } };
    held.set(name, await client.update<Service>(services, next));
    return { type: "UPDATE", name, count };
  };
  for (let round = 0; round <= restarts; round++) {
    const names = Array.from({ length: NAMES }, (_, index) => `s${index}`);
    await Promise.all(
      names.map(async (name) => {
        const mine = told.get(name) ?? [];
        told.set(name, mine);
        for (let step = round * perRound; step < Math.min(perName, (round + 1) * perRound); step++) {
          mine.push(await change(name, step));
        }
      }),
    );
    if (round < restarts) await server.restart();
  }
  client.close();
  return told;
}

/** What was heard, by name. */
export function byName(heard: readonly Heard[]): Map<string, Heard[]> {
  const sorted = new Map<string, Heard[]>();
  for (const each of heard) sorted.set(each.name, [...(sorted.get(each.name) ?? []), each]);
  return sorted;
}
