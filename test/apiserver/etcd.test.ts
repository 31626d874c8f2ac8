import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { startApiServer } from "../../src/apiserver/start.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import type { Store } from "../../src/store/store.ts";
import { openEtcdStore } from "../../src/store/etcd/etcd.ts";
import { times } from "../lab/counts.ts";
import { startEtcd, withoutEtcd, type Etcd } from "../lab/etcd.ts";
import { until } from "../lab/until.ts";
import { createAuthority } from "./certificates.ts";
import type { Answered } from "./cluster.ts";

interface Server {
  ask(method: string, path: string, body?: unknown): Promise<Answered>;
  open(path: string): Promise<IncomingMessage>;
}

/** A store whose watches hear of everything a moment late, as they may. */
const late = (store: Store): Store => ({
  ...store,
  watch: (prefix, after, handler) =>
    store.watch(prefix, after, {
      events: (events, revision) => void setTimeout(() => handler.events(events, revision), 50),
      ended: (error) => handler.ended(error),
    }),
});

/** So many API servers on one etcd, each with a store of its own; all but the first hear of changes late. */
async function startServers(
  etcd: Etcd,
  count: number,
  timeoutMs?: number,
): Promise<{ servers: Server[]; readonly close: () => Promise<void> }> {
  const authority = await createAuthority();
  const [pair, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const opened = await Promise.all(
    Array.from({ length: count }, () =>
      openEtcdStore({
        endpoints: etcd.endpoints,
        log: silentLog,
        clock: systemClock,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
    ),
  );
  const stores = opened.map((store, at) => (at === 0 ? store : late(store)));
  const started = await Promise.all(
    stores.map(async (store, at) => {
      const server = await startApiServer({
        store,
        serviceRanges: ["10.96.0.0/24"],
        nodePortRange: { first: 30000, last: 30399 },
        advertise: { ip: `10.0.0.${at + 1}`, port: 6443 },
        tls: { ...pair, ca: authority.cert },
        clock: systemClock,
        log: silentLog,
      });
      const port = await server.listen({ host: "127.0.0.1", port: 0 });
      const open = (method: string, path: string, body: Buffer | undefined): Promise<IncomingMessage> =>
        new Promise((resolve, reject) => {
          const headers =
            body === undefined ? {} : { "content-type": "application/json", "content-length": body.length };
          const options = {
            host: "127.0.0.1",
            port,
            method,
            path,
            headers,
            ca: authority.cert,
            ...admin,
            agent: false,
          };
          const request = httpsRequest(options, resolve);
          request.on("error", reject);
          request.end(body);
        });
      const api: Server = {
        open: (path) => open("GET", path, undefined),
        ask: async (method, path, body) => {
          const message = await open(method, path, body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
          let text = "";
          for await (const chunk of message) text += String(chunk);
          const isJson = String(message.headers["content-type"]).startsWith("application/json");
          return {
            code: message.statusCode ?? 0,
            headers: message.headers,
            text,
            body: isJson ? JSON.parse(text) : text,
          };
        },
      };
      return {
        api,
        close: async () => {
          await server.close();
          await store.close();
        },
      };
    }),
  );
  return {
    servers: started.map(({ api }) => api),
    close: async () => void (await Promise.all(started.map((one) => one.close()))),
  };
}

const SERVICES = "/api/v1/namespaces/default/services";
const serviceOf = (name: string) => ({
  metadata: { name },
  spec: { type: "NodePort", ports: [{ port: 80 }], selector: { app: name } },
});

void test(
  "two API servers on one etcd: each sees at once what the other acknowledged",
  { skip: withoutEtcd, timeout: 120_000 },
  async () => {
    const etcd = await startEtcd();
    const { servers, close } = await startServers(etcd, 2);
    try {
      for (let at = 0; at < times(15, 150); at++) {
        const [one, other] = at % 2 === 0 ? [servers[0]!, servers[1]!] : [servers[1]!, servers[0]!];
        const name = `web-${at % 7}`;
        const made = await one.ask("POST", SERVICES, serviceOf(name));
        assert.equal(made.code, 201, made.text);
        const got = await other.ask("GET", `${SERVICES}/${name}`);
        assert.deepEqual(got.body, made.body);
        const patched = await other.ask("PUT", `${SERVICES}/${name}`, {
          ...got.body,
          metadata: { ...got.body.metadata, labels: { turn: `${at}` } },
        });
        assert.equal(patched.code, 200, patched.text);
        const listed = await one.ask("GET", SERVICES);
        const found = listed.body.items.find((item: Service) => item.metadata.name === name);
        assert.equal(found?.metadata.labels?.turn, `${at}`);
        assert.ok(Number(listed.body.metadata.resourceVersion) >= Number(patched.body.metadata.resourceVersion));
        assert.equal((await one.ask("DELETE", `${SERVICES}/${name}`)).code, 200);
        assert.equal((await other.ask("GET", `${SERVICES}/${name}`)).code, 404);
        assert.equal((await other.ask("DELETE", `${SERVICES}/${name}`)).code, 404);
      }
    } finally {
      await close();
      await etcd.close();
    }
  },
);

void test(
  "two API servers on one etcd create and delete Services at once: no address and no port twice, none leaked",
  { skip: withoutEtcd, timeout: 120_000 },
  async () => {
    const etcd = await startEtcd();
    const { servers, close } = await startServers(etcd, 2);
    try {
      const created = async (server: Server, who: string): Promise<void> => {
        for (let at = 0; at < times(20, 90); at++) {
          const answers = await Promise.all(
            [0, 1].map((part) => server.ask("POST", SERVICES, serviceOf(`${who}-${at}-${part}`))),
          );
          for (const { code, text } of answers) assert.equal(code, 201, text);
          // Every second one goes again, by the other server half of the time.
          const by = servers[at % 2]!;
          const gone = await by.ask("DELETE", `${SERVICES}/${who}-${at}-1`);
          assert.equal(gone.code, 200, gone.text);
        }
      };
      await Promise.all(servers.map((server, at) => created(server, `s${at}`)));
      const { body } = await servers[0]!.ask("GET", "/api/v1/services");
      const items = body.items as Service[];
      const ips = items.flatMap(({ spec }) => spec?.clusterIPs ?? []);
      const ports = items.flatMap(({ spec }) => spec?.ports?.flatMap(({ nodePort }) => nodePort ?? []) ?? []);
      assert.equal(items.length, 2 * times(20, 90) + 1);
      assert.equal(ips.length, items.length);
      assert.equal(new Set(ips).size, ips.length, "no address twice");
      assert.equal(ports.length, items.length - 1);
      assert.equal(new Set(ports).size, ports.length, "no port twice");

      // What is claimed is exactly what is held.
      const store = await openEtcdStore({ endpoints: etcd.endpoints, log: silentLog, clock: systemClock });
      const last = async (prefix: string): Promise<string[]> =>
        (await store.list(prefix)).entries.map(({ key }) => key.slice(prefix.length)).sort();
      assert.deepEqual(await last("/registry/networking.k8s.io/ipaddresses/"), ips.sort());
      assert.deepEqual(await last("/claims/nodeports/"), ports.map(String).sort());
      await store.close();
    } finally {
      await close();
      await etcd.close();
    }
  },
);

/** The lines of a watch as they come. */
const follow = (message: IncomingMessage): { events: { type: string; object: Service }[]; isOver(): boolean } => {
  const events: { type: string; object: Service }[] = [];
  let rest = "";
  let over = false;
  message.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) events.push(JSON.parse(line));
  });
  message.on("close", () => {
    over = true;
  });
  return { events, isOver: () => over };
};

for (const how of ["SIGSTOP", "SIGKILL"] as const) {
  void test(
    `etcd away (${how}): reads say how old they are, writes are refused with the reason, watches stay, and all recovers by itself`,
    { skip: withoutEtcd, timeout: 120_000 },
    async () => {
      const etcd = await startEtcd({ durable: true });
      const { servers, close } = await startServers(etcd, 1, 500);
      const [server] = servers as [Server];
      const [member] = etcd.members;
      try {
        const made = await server.ask("POST", SERVICES, serviceOf("before"));
        const watch = follow(
          await server.open(`${SERVICES}?watch=true&resourceVersion=${made.body.metadata.resourceVersion}`),
        );
        assert.equal((await server.ask("GET", "/readyz")).code, 200);
        if (how === "SIGSTOP") await member!.signal("SIGSTOP");
        else await member!.kill();

        const began = performance.now();
        const read = await server.ask("GET", `${SERVICES}/before`);
        const since = new Date(Number(new Date()) - 60_000).toISOString();
        assert.equal(read.code, 200);
        assert.deepEqual(read.body, made.body);
        const said =
          /^299 - "the store has not answered since (\S+Z): this is what was known then, at revision (\d+)"$/.exec(
            String(read.headers["warning"]),
          );
        assert.ok(said !== null && said[1]! > since, String(read.headers["warning"]));
        assert.ok(Number(said[2]) >= Number(made.body.metadata.resourceVersion));
        const list = await server.ask("GET", SERVICES);
        assert.equal(list.body.items.length, 2);
        assert.match(String(list.headers["warning"]), /the store has not answered since/);
        assert.equal((await server.ask("GET", `${SERVICES}?resourceVersion=0`)).headers["warning"], undefined);
        for (const [method, path, body] of [
          ["POST", SERVICES, serviceOf("meanwhile")],
          ["PUT", `${SERVICES}/before`, read.body],
          ["DELETE", `${SERVICES}/before`, undefined],
        ] as const) {
          const refused = await server.ask(method, path, body);
          assert.deepEqual([refused.code, refused.body.reason], [503, "ServiceUnavailable"]);
          assert.match(
            refused.body.message,
            /^the store has not answered since \S+: etcd at 127\.0\.0\.1:\d+ does not answer: /,
          );
          assert.equal(refused.headers["retry-after"], "1");
        }
        const ready = await server.ask("GET", "/readyz");
        assert.equal(ready.code, 500);
        assert.match(ready.text, /^\[-\]etcd failed: reason withheld$/m);
        assert.equal((await server.ask("GET", "/livez/ping")).code, 200);
        const took = performance.now() - began;
        assert.ok(took < 10_000, `it took ${took} ms`);

        if (how === "SIGSTOP") await member!.signal("SIGCONT");
        else await member!.start();
        await until("the server to be ready again", async () => (await server.ask("GET", "/readyz")).code === 200);
        const after = await server.ask("POST", SERVICES, serviceOf("after"));
        assert.equal(after.code, 201, after.text);
        const now = await server.ask("GET", SERVICES);
        assert.equal(now.headers["warning"], undefined);
        assert.deepEqual(
          now.body.items.map((item: Service) => item.metadata.name),
          ["after", "before", "kubernetes"],
        );
        await until("the event of the write", () => watch.events.length > 0);
        assert.deepEqual(
          watch.events.map(({ type, object }) => [type, object.metadata.name]),
          [["ADDED", "after"]],
        );
        assert.equal(watch.isOver(), false);
      } finally {
        await member!.signal("SIGCONT");
        await close();
        await etcd.close();
      }
    },
  );
}
