import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { ResourceQuota, Service } from "../../src/api/generated/types.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { resourceQuota } from "../../src/apiserver/admission/resource-quota/resource-quota.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { startControllers } from "../../src/controllers/start.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { until } from "../lab/until.ts";
import { times } from "../lab/counts.ts";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/connect.ts";
import { isApiError } from "../../src/api/status.ts";
import { createCluster, type Cluster } from "./cluster.ts";

const ROOT = "/api/v1/namespaces/default";
const SERVICES = `${ROOT}/services`;
const QUOTAS = `${ROOT}/resourcequotas`;
const NAMES = ["a", "b", "c", "d", "e"];
const TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const;

interface Answered {
  readonly code: number;
  readonly message: string;
}

interface Server {
  ask(method: string, path: string, body?: unknown): Promise<Answered>;
}

interface Two {
  readonly store: Store;
  readonly clients: readonly [Client, Client];
  readonly servers: readonly [Server, Server];
  readonly close: () => Promise<void>;
}

const turns = async (most: number): Promise<void> => {
  for (let left = Math.floor(Math.random() * (most + 1)); left > 0; left -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** As far away as a real store: others come in between, and what they write is heard of later. */
const farAway = (store: Store): Store => ({
  ...store,
  get: (key) => turns(2).then(() => store.get(key)),
  list: (prefix, options) => turns(2).then(() => store.list(prefix, options)),
  write: async (conditions, operations) => {
    await turns(2);
    const result = await store.write(conditions, operations);
    await turns(1);
    return result;
  },
  watch: (prefix, after, handler) => {
    let told = Promise.resolve();
    return store.watch(prefix, after, {
      events: (events, revision) => {
        told = told.then(() => turns(12)).then(() => handler.events(events, revision));
      },
      ended: (error) => handler.ended(error),
    });
  },
});

/** Two API servers on one store: whoever counts in memory counts wrong. */
async function startTwo(seenBy = [farAway, farAway]): Promise<Two> {
  const store = memoryStore();
  const admissions = [resourceQuota];
  const clusters = await Promise.all(seenBy.map((seen) => createCluster({ store: seen(store), admissions })));
  const clientOf = ({ port, ca, admin }: Cluster): Client =>
    createClient({ server: `https://127.0.0.1:${port}`, ca, ...admin, maxSockets: 120 });
  const clients: readonly [Client, Client] = [clientOf(clusters[0]!), clientOf(clusters[1]!)];
  const serverOf = (client: Client): Server => ({
    async ask(method, path, body) {
      try {
        await client.raw(method, path, body);
        return { code: 200, message: "" };
      } catch (error) {
        if (!isApiError(error)) throw error;
        return { code: error.code, message: error.message };
      }
    },
  });
  return {
    store,
    clients,
    servers: [serverOf(clients[0]), serverOf(clients[1])],
    close: async () => {
      for (const client of clients) client.close();
      await Promise.all(clusters.map(({ server }) => server.close()));
      await store.close();
    },
  };
}

const objectsIn = async <T extends KubeObject>(store: Store, prefix: string): Promise<T[]> =>
  (await store.list(prefix)).entries.map(({ value }) => JSON.parse(value) as T);

/** The recount, by rules of its own. */
async function recount(store: Store): Promise<Record<string, number>> {
  const services = await objectsIn<Service>(store, "/registry/core/services/default/");
  const secrets = await objectsIn(store, "/registry/core/secrets/default/");
  const configMaps = await objectsIn(store, "/registry/core/configmaps/default/");
  const endpoints = await objectsIn(store, "/registry/core/endpoints/default/");
  const portsOf = ({ spec = {} }: Service): number => {
    const { ports = [] } = spec;
    if (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts === false) {
      return ports.filter(({ nodePort }) => nodePort !== undefined).length;
    }
    return spec.type === "NodePort" || spec.type === "LoadBalancer" ? ports.length : 0;
  };
  return {
    "count/secrets": secrets.length,
    services: services.length,
    "count/services": services.length,
    "services.nodeports": services.map(portsOf).reduce((sum, ports) => sum + ports, 0),
    "services.loadbalancers": services.filter(({ spec }) => spec?.type === "LoadBalancer").length,
    configmaps: configMaps.length,
    "count/endpoints": endpoints.length,
  };
}

type Step =
  | {
      readonly do: "create" | "change";
      readonly name: string;
      readonly type: (typeof TYPES)[number];
      readonly ports: number;
      readonly allocates: boolean;
    }
  | { readonly do: "delete" | "map" | "unmap" | "endpoints"; readonly name: string }
  | { readonly do: "quota" | "unquota" | "limit"; readonly name: string; readonly services: number };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("create" as const, "change" as const),
      name,
      type: fc.constantFrom(...TYPES),
      ports: fc.integer({ min: 1, max: 3 }),
      allocates: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("delete" as const, "map" as const, "unmap" as const, "endpoints" as const),
      name,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("quota" as const, "unquota" as const, "limit" as const),
      name: fc.constantFrom("q1", "q2"),
      services: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

const serviceOf = (given: Step & { do: "create" | "change" }): object => ({
  metadata: { name: given.name },
  spec: {
    type: given.type,
    ...(given.type === "ExternalName" ? { externalName: "a.example" } : {}),
    ...(given.type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: given.allocates } : {}),
    clusterIP: given.type === "ClusterIP" ? "None" : "",
    ports: Array.from({ length: given.ports }, (_, index) => ({ name: `p${index}`, port: index + 1 })),
  },
});
const quotaOf = (given: Step & { do: "quota" | "unquota" | "limit" }): object => ({
  metadata: { name: given.name },
  spec: {
    hard: {
      services: String(given.services),
      "count/services": "4",
      "services.nodeports": "4",
      "services.loadbalancers": "1",
      configmaps: "3",
      "count/endpoints": "3",
    },
  },
});

async function perform(server: Server, given: Step): Promise<Answered> {
  switch (given.do) {
    case "create":
      return server.ask("POST", SERVICES, serviceOf(given));
    case "change":
      return server.ask("PUT", `${SERVICES}/${given.name}`, serviceOf(given));
    case "delete":
      return server.ask("DELETE", `${SERVICES}/${given.name}`);
    case "map":
      return server.ask("POST", `${ROOT}/configmaps`, { metadata: { name: given.name } });
    case "unmap":
      return server.ask("DELETE", `${ROOT}/configmaps/${given.name}`);
    case "endpoints":
      return server.ask("POST", `${ROOT}/endpoints`, { metadata: { name: given.name } });
    case "quota":
      return server.ask("POST", QUOTAS, quotaOf(given));
    case "unquota":
      return server.ask("DELETE", `${QUOTAS}/${given.name}`);
    case "limit":
      return server.ask("PUT", `${QUOTAS}/${given.name}`, quotaOf(given));
  }
}

/** What each stored quota says of what it knows, beside what is there. */
async function assertExact(store: Store): Promise<void> {
  const truth = await recount(store);
  for (const quota of await objectsIn<ResourceQuota>(store, "/registry/core/resourcequotas/default/")) {
    for (const [what, used] of Object.entries(quota.status?.used ?? {})) {
      assert.equal(Number(used), truth[what], `${quota.metadata.name}: ${what}`);
    }
  }
}

void test("SVC-305, SVC-306, SVC-307: whatever is written at the same time by two servers, what is used is what is there", async (t) => {
  const two = await startTwo();
  t.after(two.close);
  const { store, servers } = two;
  const codes = new Map<number, number>();
  const clean = async (): Promise<void> => {
    for (const collection of [QUOTAS, SERVICES, `${ROOT}/configmaps`, `${ROOT}/endpoints`]) {
      const { code } = await servers[0].ask("DELETE", collection);
      assert.equal(code, 200);
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.tuple(step, fc.constantFrom(0, 1)), { minLength: 1, maxLength: 16, size: "max" }), {
        minLength: 1,
        maxLength: 6,
        size: "max",
      }),
      async (rounds) => {
        await perform(servers[0], { do: "quota", name: "q1", services: 4 });
        for (const round of rounds) {
          const answers = await Promise.all(round.map(([given, server]) => perform(servers[server], given)));
          for (const { code, message } of answers) {
            codes.set(code, (codes.get(code) ?? 0) + 1);
            assert.ok([200, 403, 404, 409, 422].includes(code), message);
          }
          await assertExact(store);
        }
        await clean();
      },
    ),
    { numRuns: times(40, 1000) },
  );
  // A run in which nothing was refused, or nothing made, would have proved nothing.
  for (const code of [200, 403]) assert.ok((codes.get(code) ?? 0) > 0, `some answers are ${code}`);
});

void test("SVC-305: a limit is never passed, not for a moment, however many ask at once", async (t) => {
  const { store, servers, close } = await startTwo();
  t.after(close);
  await servers[0].ask("POST", QUOTAS, {
    metadata: { name: "q" },
    spec: { hard: { services: "7", "services.nodeports": "3" } },
  });
  const used: number[] = [];
  const watch = await store.watch("/registry/core/resourcequotas/", 0, {
    events: (events) => {
      for (const event of events) {
        if (event.type !== "put") continue;
        const { status } = JSON.parse(event.entry.value) as ResourceQuota;
        used.push(Number(status?.used?.["services"] ?? 0));
      }
    },
    ended: () => {},
  });
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      servers[index % 2]!.ask("POST", SERVICES, {
        metadata: { name: `s${index}` },
        spec: { clusterIP: "None", ports: [{ port: 80 }] },
      }),
    ),
  );
  watch.close();
  const made = answers.filter(({ code }) => code === 200);
  assert.equal(made.length, 7, JSON.stringify(answers.map(({ code }) => code)));
  for (const { code, message } of answers.filter((answer) => answer.code !== 200)) {
    assert.equal(code, 403);
    assert.match(message, /exceeded quota: q, requested: services=1, used: services=7, limited: services=7$/);
  }
  assert.deepEqual(used, [0, 1, 2, 3, 4, 5, 6, 7]);
  await assertExact(store);
});

void test("SVC-305: many who ask at once, and for whom there is room, are all served", async (t) => {
  const { store, servers, close } = await startTwo();
  t.after(close);
  const [server] = servers;
  await server.ask("POST", QUOTAS, { metadata: { name: "q" }, spec: { hard: { configmaps: "200" } } });
  const each = (method: string, pathOf: (index: number) => string, bodyOf: (index: number) => object | undefined) =>
    Promise.all(Array.from({ length: 120 }, (_, index) => server.ask(method, pathOf(index), bodyOf(index))));
  const made = await each(
    "POST",
    () => `${ROOT}/configmaps`,
    (index) => ({ metadata: { name: `m${index}` } }),
  );
  assert.deepEqual(
    made.filter(({ code }) => code !== 200),
    [],
  );
  await assertExact(store);
  const gone = await each(
    "DELETE",
    (index) => `${ROOT}/configmaps/m${index}`,
    () => undefined,
  );
  assert.deepEqual(
    gone.filter(({ code }) => code !== 200),
    [],
  );
  const [quota] = await objectsIn<ResourceQuota>(store, "/registry/core/resourcequotas/default/");
  assert.equal(quota?.status?.used?.["configmaps"], "0");
});

void test("SVC-305: a quota that is made while others write misses none of them", async (t) => {
  const { store, servers, close } = await startTwo();
  t.after(close);
  for (let round = 0; round < times(10, 200); round += 1) {
    const writes = Array.from({ length: 8 }, (_, index) =>
      perform(servers[index % 2]!, { do: index < 4 ? "map" : "unmap", name: NAMES[index % 4]! }),
    );
    const quota = servers[round % 2]!.ask("POST", QUOTAS, {
      metadata: { name: "q" },
      spec: { hard: { configmaps: "99" } },
    });
    await Promise.all([...writes, quota]);
    await Promise.all(NAMES.map((given, index) => perform(servers[index % 2]!, { do: "map", name: given })));
    // A server that is behind may have left all of them over from the round before; of this one nobody has heard, so that it is counted.
    const last = await servers[0].ask("POST", `${ROOT}/configmaps`, { metadata: { name: `last-${round}` } });
    assert.equal(last.code, 200, last.message);
    await assertExact(store);
    const [stored] = await objectsIn<ResourceQuota>(store, "/registry/core/resourcequotas/default/");
    assert.notEqual(stored?.status?.used?.["configmaps"], undefined);
    await servers[0].ask("DELETE", QUOTAS);
    await servers[1].ask("DELETE", `${ROOT}/configmaps`);
  }
});

void test("SVC-305: a dry run is judged, and uses nothing", async (t) => {
  const { store, servers, close } = await startTwo();
  t.after(close);
  const [server] = servers;
  await server.ask("POST", QUOTAS, { metadata: { name: "q" }, spec: { hard: { configmaps: "1" } } });
  const create = (given: string, query: string) =>
    server.ask("POST", `${ROOT}/configmaps${query}`, { metadata: { name: given } });
  assert.equal((await create("a", "?dryRun=All")).code, 200);
  assert.equal((await create("b", "?dryRun=All")).code, 200);
  assert.equal((await create("a", "")).code, 200);
  assert.equal((await create("b", "?dryRun=All")).code, 403);
  assert.equal((await server.ask("DELETE", `${ROOT}/configmaps/a?dryRun=All`)).code, 200);
  await assertExact(store);
  assert.equal((await create("b", "")).code, 403);
});

void test("SVC-305: what finalizers hold is used until it goes", async (t) => {
  const { store, servers, close } = await startTwo();
  t.after(close);
  const [server] = servers;
  await server.ask("POST", QUOTAS, { metadata: { name: "q" }, spec: { hard: { configmaps: "1" } } });
  const held = { metadata: { name: "held", finalizers: ["a.example/b"] } };
  assert.equal((await server.ask("POST", `${ROOT}/configmaps`, held)).code, 200);
  await server.ask("DELETE", `${ROOT}/configmaps/held`);
  await assertExact(store);
  assert.equal((await server.ask("POST", `${ROOT}/configmaps`, { metadata: { name: "b" } })).code, 403);
  const freed = await server.ask("PUT", `${ROOT}/configmaps/held`, { metadata: { name: "held" } });
  assert.equal(freed.code, 200, freed.message);
  assert.equal((await server.ask("POST", `${ROOT}/configmaps`, { metadata: { name: "b" } })).code, 200);
  await assertExact(store);
});

void test("SVC-305: a controller that counts while others write ends with the truth", async (t) => {
  const { store, clients, servers, close } = await startTwo();
  t.after(close);
  const environment = { clock: systemClock, random: Math.random, log: silentLog };
  const controllers = await Promise.all(clients.map((client) => startControllers({ client, ...environment })));
  t.after(() => Promise.all(controllers.map((part) => part.stop())));
  const hard = { configmaps: "9", "count/secrets": "9", services: "9", "services.nodeports": "30" };
  for (let round = 0; round < times(10, 200); round += 1) {
    const write = (index: number): Promise<Answered> => {
      const server = servers[index % 2]!;
      const given = NAMES[Math.floor(index / 3) % NAMES.length]!;
      if (index % 3 === 0) return perform(server, { do: index % 2 === 0 ? "map" : "unmap", name: given });
      if (index % 3 === 1) return server.ask("POST", `${ROOT}/secrets`, { metadata: { name: given } });
      return perform(server, { do: "create", name: given, type: "NodePort", ports: 2, allocates: true });
    };
    const quota = servers[round % 2]!.ask("POST", QUOTAS, { metadata: { name: "q" }, spec: { hard } });
    await Promise.all([...Array.from({ length: 30 }, (_, index) => write(index)), quota]);
    await until("the quota to be counted", async () => {
      const stored = await objectsIn<ResourceQuota>(store, "/registry/core/resourcequotas/default/");
      return Object.keys(stored[0]?.status?.used ?? {}).length === 4;
    });
    await assertExact(store);
    for (const plural of ["resourcequotas", "configmaps", "secrets", "services"]) {
      await servers[round % 2]!.ask("DELETE", `${ROOT}/${plural}`);
    }
  }
});

/** Hears nothing of what is written until it has written something itself. */
function deaf(): { seen: (store: Store) => Store; close: () => void } {
  let gate: PromiseWithResolvers<void> | undefined;
  return {
    seen: (store) => ({
      ...store,
      write: async (conditions, operations) => {
        const result = await store.write(conditions, operations);
        if (result.ok) gate?.resolve();
        return result;
      },
      watch: (prefix, after, handler) =>
        store.watch(prefix, after, {
          events: (events, revision) => {
            if (gate === undefined) handler.events(events, revision);
            else void gate.promise.then(() => handler.events(events, revision));
          },
          ended: (error) => handler.ended(error),
        }),
    }),
    close: () => {
      gate = Promise.withResolvers();
    },
  };
}

const late: [
  what: string,
  write: [method: string, path: string, body?: object],
  code: number,
  used: Record<string, string>,
][] = [
  ["deletes", ["DELETE", `${ROOT}/configmaps/old`], 200, { configmaps: "1", "services.nodeports": "1" }],
  [
    "creates beyond the limit",
    ["POST", `${ROOT}/configmaps`, { metadata: { name: "more" } }],
    403,
    { configmaps: "2", "services.nodeports": "1" },
  ],
  [
    "changes a type",
    ["PUT", `${SERVICES}/old`, serviceOf({ do: "change", name: "old", type: "NodePort", ports: 2, allocates: true })],
    200,
    { configmaps: "2", "services.nodeports": "3" },
  ],
  [
    "changes a type beyond the limit",
    ["PUT", `${SERVICES}/old`, serviceOf({ do: "change", name: "old", type: "NodePort", ports: 3, allocates: true })],
    403,
    { configmaps: "2", "services.nodeports": "1" },
  ],
];
for (const [what, [method, path, body], code, used] of late) {
  void test(`SVC-305, SVC-307: a server that has not heard of a quota yet, and ${what}, counts all the same`, async (t) => {
    const { seen, close: closeEars } = deaf();
    const { store, servers, close } = await startTwo([(given) => given, seen]);
    t.after(close);
    const [first, second] = servers;
    const old = serviceOf({ do: "create", name: "old", type: "ExternalName", ports: 1, allocates: true });
    const other = serviceOf({ do: "create", name: "new", type: "NodePort", ports: 1, allocates: true });
    for (const [collection, object] of [
      ["configmaps", { metadata: { name: "old" } }],
      ["services", old],
    ] as const) {
      assert.equal((await second.ask("POST", `${ROOT}/${collection}`, object)).code, 200);
    }
    closeEars();
    const hard = { configmaps: "2", "services.nodeports": "3" };
    assert.equal((await first.ask("POST", QUOTAS, { metadata: { name: "q" }, spec: { hard } })).code, 200);
    assert.equal((await first.ask("POST", `${ROOT}/configmaps`, { metadata: { name: "new" } })).code, 200);
    assert.equal((await first.ask("POST", SERVICES, other)).code, 200);
    const answered = await second.ask(method, path, body);
    assert.equal(answered.code, code, answered.message);
    await assertExact(store);
    const [quota] = await objectsIn<ResourceQuota>(store, "/registry/core/resourcequotas/default/");
    assert.deepEqual(quota?.status, { hard, used });
  });
}

void test("SVC-192, SVC-305: the Endpoints that a Service takes along are used no longer", async (t) => {
  const { store, servers, close } = await startTwo();
  t.after(close);
  const [server] = servers;
  for (const given of ["with", "without"]) {
    await perform(server, { do: "create", name: given, type: "ClusterIP", ports: 1, allocates: true });
  }
  for (const given of ["with", "other"]) await perform(server, { do: "endpoints", name: given });
  await server.ask("POST", QUOTAS, {
    metadata: { name: "q" },
    spec: { hard: { "count/endpoints": "2", services: "2" } },
  });
  for (const given of ["with", "without"]) {
    assert.equal((await perform(server, { do: "delete", name: given })).code, 200);
    await assertExact(store);
  }
  const [quota] = await objectsIn<ResourceQuota>(store, "/registry/core/resourcequotas/default/");
  assert.deepEqual(quota?.status?.used, { "count/endpoints": "1", services: "0" });
});
