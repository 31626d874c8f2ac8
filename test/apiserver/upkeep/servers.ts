import { request } from "node:https";
import type { TestContext } from "node:test";
import type { Event } from "../../../src/api/generated/types.ts";
import type { KubeObject, Resource } from "../../../src/api/object.ts";
import { events } from "../../../src/api/resources.ts";
import { itemOf, storedText } from "../../../src/apiserver/cache/item.ts";
import { INSTANCES, objectKey, prefixOf } from "../../../src/apiserver/keys.ts";
import { startApiServer } from "../../../src/apiserver/start.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import type { Store } from "../../../src/store/store.ts";
import { manualClock } from "../../client/waiting.ts";
import { until } from "../../lab/until.ts";
import { createAuthority } from "../certificates.ts";

export interface ServerOptions {
  readonly ip?: string;
  readonly serviceRanges?: readonly string[];
  readonly nodePortRange?: { readonly first: number; readonly last: number };
  /** Shared with another server; a clock of its own otherwise. */
  readonly clock?: ReturnType<typeof manualClock>;
}

export interface RunningServer {
  readonly clock: ReturnType<typeof manualClock>;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are looked into by the tests
  ask(method: string, path: string, body?: unknown): Promise<{ code: number; body: any }>;
  /** Lets time go by in steps until the effect is there. */
  passing(what: string, stepMs: number, holds: () => Promise<boolean> | boolean): Promise<void>;
  close(): Promise<void>;
}

/** API servers on one store in memory, each with what it does of its own accord and a clock that the test moves. */
export async function createServers(t: TestContext) {
  const store = memoryStore();
  const authority = await createAuthority();
  const [pair, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const running = new Set<RunningServer>();
  t.after(async () => {
    await Promise.all([...running].map((server) => server.close()));
    await store.close();
  });

  const start = async (options: ServerOptions = {}, over: Store = store): Promise<RunningServer> => {
    const clock = options.clock ?? manualClock();
    let looks = 0;
    const api = await startApiServer({
      store: {
        ...over,
        list: (prefix, how) => {
          if (prefix === INSTANCES) looks++;
          return over.list(prefix, how);
        },
      },
      serviceRanges: options.serviceRanges ?? ["10.96.0.0/24"],
      nodePortRange: options.nodePortRange ?? { first: 30_000, last: 30_099 },
      advertise: { ip: options.ip ?? "192.0.2.1", port: 6443 },
      tls: { ...pair, ca: authority.cert },
      clock,
      log: silentLog,
    });
    const port = await api.listen({ host: "127.0.0.1", port: 0 });
    // The first look at leases is the bootstrap's, the next one of the upkeep that has begun.
    await until("the upkeep has begun", () => looks > 1);
    const server: RunningServer = {
      clock,
      ask: (method, path, body) =>
        new Promise((resolve, reject) => {
          const text = body === undefined ? undefined : JSON.stringify(body);
          const headers = text === undefined ? {} : { "content-type": "application/json" };
          const asked = request(
            { host: "127.0.0.1", port, method, path, ca: authority.cert, ...admin, headers, agent: false },
            (answer) => {
              let said = "";
              answer.on("data", (chunk) => (said += String(chunk)));
              answer.on("end", () => resolve({ code: answer.statusCode ?? 0, body: JSON.parse(said) }));
            },
          );
          asked.on("error", reject);
          asked.end(text);
        }),
      async passing(what, stepMs, holds) {
        await until(what, async () => {
          if (await holds()) return true;
          clock.advance(stepMs);
          return false;
        });
      },
      async close() {
        if (running.delete(server)) await api.close();
      },
    };
    running.add(server);
    return server;
  };

  // oxlint-disable-next-line typescript/no-explicit-any -- stored objects are looked into by the tests
  const read = async (resource: Resource, name: string, namespace = "default"): Promise<any> => {
    const { entry } = await store.get(objectKey(resource, { namespace, name }));
    return entry === undefined ? undefined : itemOf(entry).object;
  };
  return {
    store,
    start,
    read,
    /** Writes past every rule. */
    put: (resource: Resource, object: KubeObject) => {
      const { namespace, name = "" } = object.metadata;
      const key = objectKey(resource, { namespace, name });
      return store.write([], [{ type: "put", key, value: storedText(object) }]);
    },
    /** Removes past every rule. */
    drop: (resource: Resource, name: string) =>
      store.write([], [{ type: "delete", key: objectKey(resource, { namespace: "default", name }) }]),
    /** `Service/web ClusterIPNotAllocated ×2`, sorted. */
    told: async (): Promise<string[]> => {
      const { entries } = await store.list(prefixOf(events));
      return entries
        .map(({ value }) => JSON.parse(value) as Event)
        .map(
          ({ involvedObject: { kind, name }, reason, series }) =>
            `${kind}/${name} ${reason}${series === undefined ? "" : ` ×${series.count}`}`,
        )
        .sort();
    },
  };
}
