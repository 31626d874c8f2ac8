import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isRunning, type ProcessIdentity } from "../../src/host/process-identity.ts";
import { bringUp, FAIRLEAD, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { haproxy, WITHOUT_HAPROXY } from "../lab/haproxy.ts";
import { childOf, endAll, processesOf } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { settledTraces } from "../lab/traces.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

const objects = [
  webPod("web-1", { app: "web" }),
  webPod("web-2", { app: "web" }),
  service("web", {}),
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", annotations: { "nginx.ingress.kubernetes.io/affinity": "cookie" } },
    spec: {
      rules: [
        {
          host: "web.example",
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }],
          },
        },
      ],
    },
  },
];

describe("Ingress of up by HAProxy", { skip: haproxy === undefined ? WITHOUT_HAPROXY : false }, () => {
  let lab: Lab;
  let host: LabHost;
  let fairlead: Fairlead;
  let untouched: unknown;
  const options: UpOptions = { flags: ["--ingress", "haproxy"] };
  before(async () => {
    process.env["FAIRLEAD_HAPROXY"] = haproxy!;
    lab = await createLab();
    host = await lab.add("h1");
    untouched = await settledTraces(host);
    fairlead = await bringUp(host, { ...options, files: [manifest(host, "web.yaml", objects)] });
  });
  after(async () => {
    await fairlead?.end();
    await lab?.close();
  });

  const asked = async (...words: string[]): Promise<string | undefined> => {
    const { code, stdout } = await host.run("curl", [
      "-sf",
      "--max-time",
      "5",
      "-H",
      "Host: web.example",
      ...words,
      "http://127.0.0.1/",
    ]);
    return code === 0 && stdout.includes("web-") ? stdout.trim() : undefined;
  };
  const answers = (...words: string[]): Promise<string> => until("an answer", () => asked(...words));
  const engine = (): { readonly process: ProcessIdentity; readonly generation: number } =>
    JSON.parse(readFileSync(join(fairlead.data, "run/ingress/running.json"), "utf8")) as ReturnType<typeof engine>;
  const processesOfHaproxy = async (): Promise<string> =>
    (await host.run("pgrep", ["-f", join(fairlead.data, "run/ingress/")])).stdout.trim();

  test("a death of the site refuses nobody, and the next one takes the same HAProxy over", async () => {
    await answers();
    const cookie = /INGRESSCOOKIE=([^;]+)/.exec((await asked("-i")) ?? "")?.[1];
    assert.ok(cookie !== undefined);
    const mine = ["-H", `Cookie: INGRESSCOOKIE=${cookie}`];
    const pod = await answers(...mine);
    const was = engine();
    const site = await childOf(fairlead, "site");
    const over = new AbortController();
    let count = 0;
    const missed: number[] = [];
    const asking = (async () => {
      while (!over.signal.aborted) {
        count += 1;
        if ((await asked(...mine)) !== pod) missed.push(count);
      }
    })();
    await endAll([site], "SIGKILL");
    await until("the site to be back", async () => (await childOf(fairlead, "site")).pid !== site.pid);
    await until("it to have taken over", () => engine().generation > was.generation);
    assert.ok(await isRunning(was.process));
    assert.equal(engine().process.pid, was.process.pid);
    over.abort();
    await asking;
    assert.deepEqual(missed, [], `of ${count} requests`);
  });

  test("after a death of all of Fairlead sessions go on, and the next up takes over", async () => {
    const was = engine();
    await endAll(await processesOf(fairlead), "SIGKILL");
    assert.ok((await asked()) !== undefined, "it serves without us");
    fairlead = await bringUp(host, { ...options, data: fairlead.data });
    await until("it to have taken over", () => engine().generation > was.generation);
    assert.equal(engine().process.pid, was.process.pid);
    await answers();
  });

  test("a HAProxy that dies is replaced, and who connects meanwhile waits", async () => {
    const was = engine();
    process.kill(was.process.pid, "SIGKILL");
    await until("another one", () => engine().process.pid !== was.process.pid);
    await answers();
  });

  test("down after a death of all leaves no HAProxy and no listener", async () => {
    assert.notEqual(await processesOfHaproxy(), "");
    await endAll(await processesOf(fairlead), "SIGKILL");
    const { code, stderr } = await host.run(FAIRLEAD, ["down", "--data", fairlead.data], { timeout: 60_000 });
    assert.equal(code, 0, stderr);
    await until("no HAProxy to be left", async () => (await processesOfHaproxy()) === "");
    assert.notEqual((await host.run("curl", ["-s", "--max-time", "2", "http://127.0.0.1/"])).code, 0);
    assert.deepEqual(await settledTraces(host), untouched);
  });
});
