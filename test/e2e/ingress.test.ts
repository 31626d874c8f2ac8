import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Ingress, IngressClass } from "../../src/api/generated/types.ts";
import { ingressClasses, ingresses, pods } from "../../src/api/resources.ts";
import { childrenOf } from "../../src/host/process-identity.ts";
import { bringUp, FAIRLEAD, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { childOf, commandOf, endAll, processesOf, readThroughApi, withClient } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { settledTraces } from "../lab/traces.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });

/** An Ingress of one host and path, with a session cookie. */
const ingress = (name: string, host: string, more: object = {}): object => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name, annotations: { "nginx.ingress.kubernetes.io/affinity": "cookie" } },
  spec: { rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend: backend("web") }] } }], ...more },
});

const objects = [
  webPod("web-1", { app: "web" }),
  webPod("web-2", { app: "web" }),
  service("web", {}),
  ingress("web", "web.example"),
];

const SITES: readonly { readonly name: string; readonly options: UpOptions }[] = [
  { name: "host site", options: { flags: ["--ingress", "builtin"] } },
  { name: "private site without root", options: { ordinary: true, flags: ["--ingress", "builtin"] } },
];

for (const { name, options } of SITES) {
  const skip = options.ordinary === true && !isRealRoot() ? "needs root, to be an ordinary user" : false;
  describe(`Ingress of up, ${name}`, { skip }, () => {
    let lab: Lab;
    let host: LabHost;
    let fairlead: Fairlead;
    before(async () => {
      lab = await createLab();
      host = await lab.add("h1");
      fairlead = await bringUp(host, { ...options, files: [manifest(host, "web.yaml", objects)] });
    });
    after(async () => {
      await fairlead?.end();
      await lab?.close();
    });

    /** Asks from inside the site; its standard output, or undefined where it failed. */
    const asked = async (...words: string[]): Promise<string | undefined> => {
      const { code, stdout } = await fairlead.shell("curl", ["-sg", "--max-time", "5", ...words]);
      return code === 0 ? stdout : undefined;
    };
    const answers = (...words: string[]): Promise<string> =>
      until(`an answer of curl ${words.join(" ")}`, async () => {
        const text = await asked("-f", ...words);
        return text?.startsWith("web-") === true ? text.trim() : undefined;
      });

    test("the first Ingress opens the door, at 80 and 443, and that is said", async () => {
      assert.match(await answers("-H", "Host: web.example", "http://127.0.0.1/"), /^web-[12]$/);
      assert.match(await answers("-k", "--resolve", "web.example:443:127.0.0.1", "https://web.example/"), /^web-[12]$/);
      const event = await until("the ports to be said", () => fairlead.events.find((one) => one.event === "ingress"));
      assert.deepEqual([event["http"], event["https"], event["remarks"]], [80, 443, []]);
      const { stdout } = await host.run(FAIRLEAD, ["status", "--data", fairlead.data, "-o", "json"]);
      assert.deepEqual((JSON.parse(stdout) as { ingress: unknown }).ingress, {
        engine: "builtin",
        http: 80,
        https: 443,
      });
    });

    test("CTL-152: its status has a load balancer's address, where it answers", async () => {
      const address = await until("an address in the status", () =>
        withClient(fairlead.data, async (client) => {
          const found = await client.get<Ingress>(ingresses, { namespace: "default", name: "web" });
          return found.status?.loadBalancer?.ingress?.[0]?.ip;
        }),
      );
      assert.match(await answers("-H", "Host: web.example", `http://${address}/`), /^web-[12]$/);
      // Its first answer is after those of the load balancer's rules, and its client is whoever asked, not the node.
      assert.equal((await asked("-o", "/dev/null", "-w", "%{http_code}", `http://${address}/`))?.trim(), "404");
    });

    test("a pod reaches the load balancer's address too", async () => {
      const address = await until("an address in the status", () =>
        withClient(fairlead.data, async (client) => {
          const found = await client.get<Ingress>(ingresses, { namespace: "default", name: "web" });
          return found.status?.loadBalancer?.ingress?.[0]?.ip;
        }),
      );
      const program = `require("node:http").get({ host: "${address}", headers: { host: "web.example" } }, (answer) => answer.pipe(process.stdout))`;
      const caller = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { namespace: "default", name: "caller" },
        spec: {
          restartPolicy: "OnFailure",
          containers: [{ name: "caller", command: ["node", "-e", program] }],
        },
      };
      await withClient(fairlead.data, (client) => client.create(pods, caller));
      await until("what the pod was answered", async () =>
        /^web-[12]$/m.test(
          await readThroughApi(fairlead.data, "/api/v1/namespaces/default/pods/caller/log").catch(() => ""),
        ),
      );
    });

    test("a session stays with its pod, also over a death of the site", async () => {
      const url = ["-H", "Host: web.example", "http://127.0.0.1/"];
      await answers(...url);
      const cookie = /INGRESSCOOKIE=([^;]+)/.exec((await asked("-i", ...url)) ?? "")?.[1];
      assert.ok(cookie !== undefined, "an answer to somebody new has no cookie");
      const mine = ["-H", `Cookie: INGRESSCOOKIE=${cookie}`, ...url];
      const pod = await answers(...mine);
      for (let count = 0; count < 5; count++) assert.equal(await answers(...mine), pod);
      const site = await childOf(fairlead, "site");
      await endAll([site], "SIGKILL");
      await until("the site to be back", async () => (await childOf(fairlead, "site")).pid !== site.pid);
      assert.equal(await answers(...mine), pod);
      await endAll(await processesOf(fairlead), "SIGKILL");
      fairlead = await bringUp(host, { ...options, data: fairlead.data });
      assert.equal(await answers(...mine), pod);
    });

    test("what ends the process of Ingress ends nobody else, and who connects meanwhile waits", async () => {
      const site = await childOf(fairlead, "site");
      const url = ["-H", "Host: web.example", "http://127.0.0.1/"];
      const door = (await childrenOf(site.pid)).find((pid) => commandOf(pid).includes("part.process.ts"));
      assert.ok(door !== undefined, "there is no process of Ingress");
      process.kill(door, "SIGABRT");
      assert.match((await asked("-f", "--retry", "20", "--retry-delay", "0", ...url)) ?? "", /^web-[12]/);
      assert.equal((await childOf(fairlead, "site")).pid, site.pid);
      const now = (await childrenOf(site.pid)).find((pid) => commandOf(pid).includes("part.process.ts"));
      assert.notEqual(now, door);
    });

    test("the class is there, is the default, and is not made again over what somebody wrote", async () => {
      const found = await withClient(fairlead.data, (client) =>
        client.get<IngressClass>(ingressClasses, { name: "fairlead" }),
      );
      assert.equal(found.spec?.controller, "fairlead.dev/ingress");
      assert.equal(found.metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"], "true");
    });
  });
}

describe("Ingress of up and a port that somebody has", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
  });
  after(() => lab?.close());

  test("another port is taken, and it is said whose the usual one is; down leaves nothing", async () => {
    const before_ = await settledTraces(host);
    const other = await host.open("python3", ["-m", "http.server", "80", "--bind", "0.0.0.0"]);
    await until("port 80 to be taken", async () => (await host.run("curl", ["-s", "http://127.0.0.1/"])).code === 0);
    const fairlead = await bringUp(host, {
      files: [manifest(host, "web.yaml", objects)],
      flags: ["--ingress", "builtin"],
    });
    const event = await until("the ports to be said", () => fairlead.events.find((one) => one.event === "ingress"));
    assert.deepEqual([event["http"], event["https"]], [8080, 443]);
    assert.match(String((event["remarks"] as string[])[0]), /^port 80: .*python3.*; 8080 is tried$/);
    await until("an answer at 8080", async () => {
      const { stdout } = await host.run("curl", ["-s", "-H", "Host: web.example", "http://127.0.0.1:8080/"]);
      return stdout.startsWith("web-");
    });
    assert.ok(JSON.parse(readFileSync(join(fairlead.data, "run/made.json"), "utf8")).doorHolder !== undefined);
    assert.equal(await fairlead.end(), 0);
    other.kill("SIGKILL");
    await other.ended;
    assert.deepEqual(await settledTraces(host), before_);
  });

  test("--ingress off opens nothing", async () => {
    const fairlead = await bringUp(host, {
      files: [manifest(host, "web.yaml", objects)],
      flags: ["--ingress", "off"],
    });
    await until(
      "a pod to answer at the Service",
      async () => (await fairlead.shell("curl", ["-sf", "http://web"])).code === 0,
    );
    assert.notEqual((await host.run("curl", ["-s", "http://127.0.0.1/"])).code, 0);
    assert.deepEqual(await withClient(fairlead.data, async (client) => (await client.list(ingressClasses)).items), []);
    await fairlead.end();
  });

  test("--ingress-access-log writes a line a request, and --publish has the host's 127.0.0.1 answer for a private site", async () => {
    const log = join(host.scratch, "requests.log");
    const fairlead = await bringUp(host, {
      files: [manifest(host, "web.yaml", objects)],
      flags: ["--ingress", "builtin", "--private", "--publish", "--ingress-access-log", log],
    });
    await until("an answer on the host", async () => {
      const { stdout } = await host.run("curl", ["-s", "-m", "5", "-H", "Host: web.example", "http://127.0.0.1/seen"]);
      return stdout.startsWith("web-");
    });
    const line = await until("its line", () =>
      readFileSync(log, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((text) => JSON.parse(text) as Record<string, unknown>)
        .find(({ uri, status }) => uri === "/seen" && status === 200),
    );
    assert.deepEqual([line["host"], line["ingress"]], ["web.example", "web"]);
    await fairlead.end();
  });

  test("without an Ingress no port is taken", async () => {
    const fairlead = await bringUp(host, { flags: ["--ingress", "builtin"] });
    await until("the class to be made", () =>
      withClient(fairlead.data, async (client) => {
        const { items } = await client.list(ingressClasses);
        return items.length === 1;
      }),
    );
    assert.notEqual((await host.run("curl", ["-s", "http://127.0.0.1/"])).code, 0);
    await fairlead.end();
  });
});
