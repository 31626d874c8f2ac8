import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { answerTo, ask, begin, keptAgent, openWebSocket, said } from "../lab/clients.ts";
import type { LabPod } from "../lab/backends.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage, type Site } from "./stage.ts";

const TWENTY = 20;

/** Clients that ask without a pause until they are told to stop; what went wrong is counted. */
function load(site: Site, clients: number): { readonly count: () => number; readonly stop: () => Promise<string[]> } {
  const state = { isOver: false };
  let count = 0;
  const wrong: string[] = [];
  const agent = keptAgent({ address: "", port: 0, tls: false }, clients);
  const running = Array.from({ length: clients }, async () => {
    while (!state.isOver) {
      try {
        const { status } = await site.ask({ agent });
        if (status !== 200) wrong.push(`${status}`);
      } catch (error) {
        wrong.push((error as Error).message);
      }
      count += 1;
    }
  });
  return {
    count: () => count,
    async stop() {
      state.isOver = true;
      await Promise.all(running);
      agent.destroy();
      return wrong;
    },
  };
}

/** What changes does so at once, and costs nobody a request or a connection. */
export const changeExamples = (subject: EngineSubject): void =>
  onStage(subject, "changes", (add) => {
    add(
      "CTL-153 changes of Ingress, Service, EndpointSlice, Secret and class take effect when they are carried, while 20 connections and 20 WebSockets stay",
      async (stage) => {
        const { cluster, door, follow, pods, ask: askFor } = stage;
        const site = await stage.site({ pods: 1 });
        const { host } = site;
        const agents = Array.from({ length: TWENTY }, () => keptAgent(door.plain));
        for (const agent of agents) assert.equal((await site.ask({ agent })).status, 200);
        const sockets = await Promise.all(
          Array.from({ length: TWENTY }, async () => openWebSocket(door.plain, { host })),
        );
        const lost: string[] = [];
        for (const socket of sockets) socket.on("close", (code) => lost.push(`${code}`));

        const changes: [what: string, change: () => void, check: () => Promise<void>][] = [
          [
            "a new Ingress",
            () => void cluster.ingress("new", { paths: [{ host: "new.test", service: site.name }] }),
            async () => assert.equal((await askFor({ host: "new.test" })).status, 200),
          ],
          [
            "an Ingress' annotation",
            () =>
              void cluster.ingress("new", {
                nginx: { "temporal-redirect": "https://x.test/" },
                paths: [{ host: "new.test", service: site.name }],
              }),
            async () => assert.equal((await askFor({ host: "new.test" })).status, 302),
          ],
          [
            "a path",
            () => void cluster.ingress("new", { paths: [{ host: "new.test", path: "/only", service: site.name }] }),
            async () => {
              assert.equal((await askFor({ host: "new.test" })).status, 404);
              assert.equal((await askFor({ host: "new.test", path: "/only" })).status, 200);
            },
          ],
          [
            "endpoints",
            () => cluster.endpoints(site.name, [pods[1]!]),
            async () => assert.equal((await site.ask()).pod, pods[1]!.name),
          ],
          [
            "a Service",
            () => cluster.remove("Service", `default/${site.name}`),
            async () => assert.equal((await site.ask()).status, 503),
          ],
          [
            "a Service again",
            () => void cluster.service(site.name, [pods[0]!, pods[1]!]),
            async () => assert.equal((await site.ask()).status, 200),
          ],
          [
            "a Secret",
            () => {
              cluster.secret("changing", { auth: "a:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=" });
              cluster.ingress("guarded", {
                nginx: { "auth-type": "basic", "auth-secret": "changing" },
                paths: [{ host: "guarded.test", service: site.name }],
              });
            },
            async () => assert.equal((await askFor({ host: "guarded.test" })).status, 401),
          ],
          [
            "a Secret's end",
            () => cluster.remove("Secret", "default/changing"),
            async () => assert.equal((await askFor({ host: "guarded.test" })).status, 503),
          ],
          [
            "a class",
            () => {
              cluster.ingressClass("passing");
              cluster.ingress("passing", {
                className: "passing",
                paths: [{ host: "passing.test", service: site.name }],
              });
            },
            async () => assert.equal((await askFor({ host: "passing.test" })).status, 200),
          ],
          [
            "a class' end",
            () => cluster.remove("IngressClass", "passing"),
            async () => assert.equal((await askFor({ host: "passing.test" })).status, 404),
          ],
          [
            "an Ingress' end",
            () => cluster.remove("Ingress", "default/new"),
            async () => assert.equal((await askFor({ host: "new.test", path: "/only" })).status, 404),
          ],
        ];
        for (const [what, change, check] of changes) {
          change();
          await follow();
          await check().catch((error: unknown) => {
            throw new Error(`after ${what}: ${(error as Error).message}`, { cause: error });
          });
        }

        for (const agent of agents) {
          const answered = await site.ask({ agent });
          assert.equal(answered.status, 200);
          assert.ok(answered.reused, "a connection was closed");
          agent.destroy();
        }
        assert.deepEqual(lost, []);
        for (const socket of sockets) {
          assert.equal(await said(socket, "who"), pods[0]!.name);
          socket.terminate();
        }
      },
    );

    add("endpoints come and go under load without an error", async ({ site, lab }) => {
      const pods = await lab.pods(4);
      const { ...place } = await site({ pods });
      const loaded = load(place, 8);
      let current: LabPod[] = [...pods];
      for (let i = 0; i < 25; i++) {
        const fresh = await lab.pod();
        current = [...current, fresh];
        await place.endpoints(current);
        const [gone, ...others] = current;
        // As Kubernetes does it: told to be ending, then out of the slice, then gone when all was answered.
        await place.endpoints([{ ...gone!, terminating: true, serving: true }, ...others]);
        await place.endpoints(others);
        current = others;
        await gone!.end();
        await turn();
      }
      const wrong = await loaded.stop();
      assert.deepEqual(wrong.slice(0, 5), []);
      assert.ok(loaded.count() > 100, `${loaded.count()} requests`);
    });

    add("routes and certificates come and go under load without an error", async (stage) => {
      const site = await stage.site({ pods: 3 });
      const loaded = load(site, 8);
      for (let i = 0; i < 40; i++) {
        stage.cluster.ingress(`passing-${i % 7}`, {
          nginx:
            i % 3 === 0
              ? { affinity: "cookie", "session-cookie-name": `c${i % 2}` }
              : { "proxy-read-timeout": `${i + 1}` },
          paths: [{ host: `passing-${i}.test`, path: `/p${i}`, service: site.name }],
        });
        if (i % 10 === 5) stage.cluster.tlsSecret("passing", stage.fallback);
        await stage.follow();
        assert.notEqual((await stage.ask({ host: `passing-${i}.test`, path: `/p${i}` })).status, 404);
      }
      const wrong = await loaded.stop();
      assert.deepEqual(wrong.slice(0, 5), []);
      assert.ok(loaded.count() > 100, `${loaded.count()} requests`);
    });

    add("a request that began goes on by what it began with", async (stage) => {
      const site = await stage.site({ pods: 1 });
      const gate = stage.name("gate");
      const request = begin(stage.door.plain, { host: site.host, how: { holdBody: gate, body: "0123456789" } });
      const answered = answerTo(request);
      request.end();
      await stage.lab.sees(gate);
      stage.cluster.remove("Ingress", `default/${site.name}`);
      stage.cluster.remove("Service", `default/${site.name}`);
      await stage.follow();
      assert.equal((await site.ask()).status, 404);
      await stage.lab.release(gate);
      assert.equal((await answered).text, "0123456789");
    });

    add("WebSockets of a pod that drains stay until it ends", async (stage) => {
      const [going, staying] = [await stage.lab.pod(), await stage.lab.pod()];
      const site = await stage.site({ pods: [going] });
      const socket = await openWebSocket(stage.door.plain, { host: site.host });
      await site.endpoints([{ ...going, terminating: true, serving: true }, staying]);
      await site.endpoints([staying]);
      assert.equal(await said(socket, "who"), going.name);
      assert.equal((await site.ask()).pod, staying.name);
      socket.terminate();
    });

    add("500 hosts: a change of one takes effect, and the others stay", async (stage) => {
      const { cluster, follow, pods } = stage;
      cluster.service("many", [pods[0]!]);
      for (let i = 0; i < 500; i++) {
        cluster.ingress(`many-${i}`, { paths: [{ host: `many-${i}.test`, path: "/x", service: "many" }] });
      }
      await follow();
      const at = async (i: number, path: string): Promise<number> =>
        (await ask(stage.door.plain, { host: `many-${i}.test`, path })).status;
      for (const i of [0, 250, 499]) assert.equal(await at(i, "/x"), 200);
      cluster.ingress("many-250", { paths: [{ host: "many-250.test", path: "/y", service: "many" }] });
      await follow();
      assert.deepEqual([await at(250, "/x"), await at(250, "/y"), await at(251, "/x")], [404, 200, 200]);
      for (let i = 0; i < 500; i++) cluster.remove("Ingress", `default/many-${i}`);
      await follow();
      assert.equal(await at(0, "/x"), 404);
    });
  });
