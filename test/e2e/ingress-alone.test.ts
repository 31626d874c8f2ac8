import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Running } from "../../src/host/host.ts";
import { parseManifests } from "../../src/cli/manifests/read.ts";
import { systemHost } from "../../src/host/processes.ts";
import { startSubject, type Subject } from "../conformance/subject.ts";
import { standOnOwnGround } from "../lab/ground.ts";
import { haproxy, WITHOUT_HAPROXY } from "../lab/haproxy.ts";
import { ROOT } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { kubeconfigOf } from "./naming/dns-process.ts";

interface Manifest {
  readonly kind: string;
  readonly [field: string]: unknown;
}

type EngineName = "builtin" | "haproxy";
const ENGINES: readonly EngineName[] = ["builtin", "haproxy"];
const without = (engine: EngineName): string | false =>
  engine === "haproxy" && haproxy === undefined ? WITHOUT_HAPROXY : false;

const PODS = ["10.244.0.11", "10.244.0.12", "10.244.0.13"] as const;
const SYSTEM = "namespaces/kube-system";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const PATHS: Readonly<Record<string, string>> = {
  IngressClass: "/apis/networking.k8s.io/v1/ingressclasses",
  ServiceAccount: `/api/v1/${SYSTEM}/serviceaccounts`,
  ClusterRole: `${RBAC}/clusterroles`,
  ClusterRoleBinding: `${RBAC}/clusterrolebindings`,
  Role: `${RBAC}/${SYSTEM}/roles`,
  RoleBinding: `${RBAC}/${SYSTEM}/rolebindings`,
  Service: "/api/v1/namespaces/default/services",
  EndpointSlice: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
  Ingress: "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
};

/** A `fairlead ingress` that runs, what it said on standard error, and its lines of requests. */
interface Door {
  readonly port: number;
  readonly pages: number;
  readonly process: Running;
  readonly said: () => string;
  readonly lines: () => Record<string, unknown>[];
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** As it goes back. */
  readonly cookie: string | undefined;
}

function ask(
  port: number,
  host: string,
  { path = "/", cookie }: { path?: string; cookie?: string | undefined } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host, ...(cookie === undefined ? {} : { cookie }) };
    const asked = request({ host: "127.0.0.1", port, path, headers, agent: false, timeout: 20_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          cookie: response.headers["set-cookie"]?.[0]?.split(";")[0],
        }),
      );
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", reject);
    asked.end();
  });
}

describe("fairlead ingress alone, with the example's rights at somebody's API server", () => {
  const scratch = mkdtempSync(join(tmpdir(), "fairlead-door-"));
  const kubeconfig = join(scratch, "kubeconfig");
  const running = new Set<Running>();
  const pods: Server[] = [];
  /** Requests for /slow that wait in a pod. */
  const waiting: (() => void)[] = [];
  let subject: Subject;
  let ports = 8100;

  const create = async (object: Manifest): Promise<void> => {
    const { code, text } = await subject.ask("POST", PATHS[object.kind]!, object);
    assert.equal(code, 201, text);
  };
  const tokenOf = async (name: string): Promise<string> => {
    const { body } = await subject.ask("POST", `${PATHS["ServiceAccount"]}/${name}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {},
    });
    return (body as { status: { token: string } }).status.token;
  };
  const ingress = (name: string, ingressClassName: string | undefined, annotations = {}): Manifest => ({
    kind: "Ingress",
    apiVersion: "networking.k8s.io/v1",
    metadata: { name, namespace: "default", annotations },
    spec: {
      ...(ingressClassName === undefined ? {} : { ingressClassName }),
      rules: [
        {
          host: `${name}.example`,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }],
          },
        },
      ],
    },
  });

  const launch = async (flags: readonly string[], env: Record<string, string> = {}) => {
    const process_ = await systemHost().open(join(ROOT, "bin/fairlead"), ["ingress", ...flags], {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: scratch,
        TMPDIR: scratch,
        ...(haproxy === undefined ? {} : { FAIRLEAD_HAPROXY: haproxy }),
        ...env,
      },
    });
    running.add(process_);
    let said = "";
    let out = "";
    process_.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    process_.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    void process_.ended.then(() => running.delete(process_));
    const lines = (): Record<string, unknown>[] =>
      out
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { process: process_, said: () => said, lines };
  };
  const start = async (engine: EngineName, ...flags: string[]): Promise<Door> => {
    const [port, tls, pages] = [ports, ports + 1, ports + 2];
    ports += 3;
    const where = ["--http-port", `${port}`, "--https-port", `${tls}`, "--healthz-port", `${pages}`];
    const own = flags.includes("--kubeconfig") ? [] : ["--kubeconfig", kubeconfig];
    const its = await launch(["--bind", "127.0.0.1", "--engine", engine, ...where, ...own, ...flags]);
    const door = { port, pages, ...its };
    await until(
      "the door to serve",
      () => {
        if (!running.has(its.process)) throw new Error(its.said());
        return its.said().includes("Ingress is served");
      },
      { seconds: 60 },
    ).catch((cause: unknown) => {
      throw new Error(its.said(), { cause });
    });
    return door;
  };
  const end = async ({ process: its, said }: Door): Promise<void> => {
    its.kill("SIGTERM");
    assert.equal(await its.ended, 0, said());
  };
  const page = async (port: number, path: string): Promise<[number, string]> => {
    const { status, body } = await ask(port, "localhost", { path });
    return [status, body];
  };
  /** Command lines of HAProxys of ours. */
  const haproxys = (): string[] =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8");
        } catch {
          return "";
        }
      })
      .filter((words) => words.includes(scratch) && words.includes("-W"));

  before(async () => {
    standOnOwnGround();
    for (const address of PODS) {
      await systemHost().check("ip", ["addr", "add", `${address}/32`, "dev", "lo"]);
      const server = createServer((asked, response) => {
        if (asked.url === "/slow") waiting.push(() => response.end(`${address} at last`));
        else response.end(address);
      });
      await new Promise<void>((resolve) => server.listen(8080, address, resolve));
      pods.push(server);
    }
    subject = await startSubject();
    const file = join(ROOT, "examples/ingress/rbac.yaml");
    for (const document of parseManifests("rbac.yaml", readFileSync(file, "utf8"))) {
      assert.ok(!("sentence" in document));
      await create(document.object as Manifest);
    }
    writeFileSync(kubeconfig, kubeconfigOf(subject, { token: await tokenOf("fairlead-ingress") }));
    await create({
      kind: "Service",
      apiVersion: "v1",
      metadata: { name: "web", namespace: "default" },
      spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] },
    });
    await create({
      kind: "EndpointSlice",
      apiVersion: "discovery.k8s.io/v1",
      metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: PODS.map((address, at) => ({
        addresses: [address],
        conditions: { ready: true },
        targetRef: {
          kind: "Pod",
          namespace: "default",
          name: `web-${at}`,
          uid: `00000000-0000-4000-8000-00000000000${at}`,
        },
      })),
    });
    await create(ingress("web", "fairlead", { "nginx.ingress.kubernetes.io/affinity": "cookie" }));
    await create(ingress("theirs", "nginx"));
    await create(ingress("classless", undefined));
  });
  after(async () => {
    for (const process_ of running) process_.kill("SIGKILL");
    for (const server of pods) {
      server.close();
      server.closeAllConnections();
    }
    await subject?.close().catch(() => {});
    rmSync(scratch, { recursive: true, force: true });
  });

  test("CTL-152: of two replicas one writes its address as status, and the other one when that has ended; sessions are of both, of one that was restarted, and of the other engine", async () => {
    const status = async (): Promise<string | undefined> => {
      const { body } = await subject.ask("GET", `${PATHS["Ingress"]}/web`);
      return (body as { status: { loadBalancer?: { ingress?: { ip?: string }[] } } }).status.loadBalancer?.ingress?.[0]
        ?.ip;
    };
    const one = await start("builtin", "--publish-status-address", "192.0.2.1");
    const first = await ask(one.port, "web.example");
    assert.equal(first.status, 200);
    const { cookie, body: pod } = first;
    assert.ok(cookie !== undefined);
    const stays = async (door: Door): Promise<void> => {
      for (let count = 0; count < 6; count++) {
        const answer = await ask(door.port, "web.example", { cookie });
        assert.deepEqual([answer.status, answer.body, answer.cookie], [200, pod, undefined]);
      }
      const others = await Promise.all(Array.from({ length: 6 }, () => ask(door.port, "web.example")));
      assert.equal(new Set(others.map(({ body }) => body)).size, PODS.length, "who is new may get any pod");
    };
    await stays(one);
    await until("the first one's address", async () => (await status()) === "192.0.2.1");
    let other = await start("builtin", "--publish-status-address", "192.0.2.2");
    await stays(other);
    // It sees every change of an Ingress, and leaves the status of this one as it is.
    await create(ingress("late", "fairlead"));
    await until("a new Ingress at the second", async () => (await ask(other.port, "late.example")).status === 200);
    assert.equal(await status(), "192.0.2.1");
    assert.doesNotMatch(other.said(), /this replica writes status/);
    await end(one);
    await until("the second one's address", async () => (await status()) === "192.0.2.2");
    await end(other);
    other = await start("builtin");
    await stays(other);
    await end(other);
    if (haproxy !== undefined) {
      const third = await start("haproxy");
      await stays(third);
      await end(third);
    }
    for (const { said } of [one, other]) assert.doesNotMatch(said(), /forbidden|"level":"(warn|error)"/i);
  });

  test("CTL-149, CTL-150, CTL-151: Ingresses of a class that is not ours are left alone, and those of none unless they are asked for", async () => {
    const usual = await start("builtin");
    const asked = await start("builtin", "--watch-ingress-without-class");
    const statuses = (door: Door): Promise<number[]> =>
      Promise.all(["web", "theirs", "classless"].map(async (name) => (await ask(door.port, `${name}.example`)).status));
    assert.deepEqual(await statuses(usual), [200, 404, 404]);
    assert.deepEqual(await statuses(asked), [200, 404, 200]);
    await end(usual);
    await end(asked);
  });

  test("where IngressClasses may not be read that is said, and those of our class are served", async () => {
    const documents = parseManifests("rbac.yaml", readFileSync(join(ROOT, "examples/ingress/rbac.yaml"), "utf8"));
    for (const document of documents) {
      assert.ok(!("sentence" in document));
      const text = JSON.stringify(document.object)
        .replace(/"name":"fairlead-ingress"/g, '"name":"narrow"')
        .replace(',"ingressclasses"', "");
      const object = JSON.parse(text) as Manifest;
      if (object.kind !== "IngressClass") await create(object);
    }
    const file = join(scratch, "narrow");
    writeFileSync(file, kubeconfigOf(subject, { token: await tokenOf("narrow") }));
    const door = await start("builtin", "--kubeconfig", file);
    assert.equal((await ask(door.port, "web.example")).status, 200);
    assert.equal((await ask(door.port, "theirs.example")).status, 404);
    assert.match(door.said(), /IngressClasses may not be read; Ingresses of class fairlead are served/);
    await end(door);
  });

  for (const engine of ENGINES) {
    describe(engine, { skip: without(engine) }, () => {
      test("pages answer, figures move, and each request is a line", async () => {
        const door = await start(engine);
        assert.deepEqual(await page(door.pages, "/healthz"), [200, "ok\n"]);
        assert.deepEqual(await page(door.pages, "/readyz"), [200, "ok\n"]);
        const count = async (): Promise<number> => {
          const [, text] = await page(door.pages, "/metrics");
          return text
            .split("\n")
            .filter((line) => /^nginx_ingress_controller_requests\{.*ingress="web"/.test(line))
            .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
        };
        assert.equal(await count(), 0);
        for (let at = 0; at < 5; at++) await ask(door.port, "web.example", { path: `/figures?${at}` });
        await until("five requests in the figures", async () => (await count()) === 5);
        await until("five lines", () => door.lines().length === 5);
        const targets = door.lines().map(({ uri }) => uri);
        assert.deepEqual(targets, ["/figures?0", "/figures?1", "/figures?2", "/figures?3", "/figures?4"]);
        const line = door.lines()[0]!;
        assert.deepEqual(
          [line["remote_addr"], line["method"], line["host"], line["status"], line["ingress"]],
          ["127.0.0.1", "GET", "web.example", 200, "web"],
        );
        assert.ok(
          PODS.some((address) => line["upstream_addr"] === `${address}:8080`),
          JSON.stringify(line),
        );
        await end(door);
      });

      test("SIGTERM lets a request that is under way come to its end, and no more connections in", async () => {
        const door = await start(engine);
        const answer = ask(door.port, "web.example", { path: "/slow" });
        await until("the request to be in a pod", () => waiting.length > 0);
        door.process.kill("SIGTERM");
        await until("the pages to say so", async () => (await page(door.pages, "/healthz"))[0] === 503);
        await until("new ones to be refused", () =>
          ask(door.port, "web.example").then(
            () => false,
            () => true,
          ),
        );
        for (const go of waiting.splice(0)) go();
        assert.match((await answer).body, / at last$/);
        const began = performance.now();
        assert.equal(await door.process.ended, 0, door.said());
        assert.ok(performance.now() - began < 20_000, "not the whole of its 30 s");
        assert.deepEqual(haproxys(), []);
      });

      test("what is under way longer than the drain is cut, and by a second SIGTERM at once; nothing is left behind", async () => {
        for (const [drain, isTold] of [
          ["1", false],
          ["600", true],
        ] as const) {
          const door = await start(engine, "--shutdown-drain", drain);
          const answer = ask(door.port, "web.example", { path: "/slow" }).then(
            ({ status }) => `${status}`,
            () => "cut",
          );
          await until("the request to be in a pod", () => waiting.length > 0);
          door.process.kill("SIGTERM");
          await until("it to have heard", () => door.said().includes("asked to end"));
          if (isTold) door.process.kill("SIGTERM");
          const began = performance.now();
          assert.equal(await door.process.ended, 0, door.said());
          assert.ok(performance.now() - began < 20_000, `${performance.now() - began} ms`);
          assert.notEqual(await answer, "200");
          assert.deepEqual(haproxys(), []);
          waiting.splice(0);
        }
      });
    });
  }

  describe("what cannot be done is said in a sentence, and is the end", () => {
    const CASES: readonly [what: string, flags: () => string[], code: number, said: RegExp, env?: object][] = [
      [
        "a port that somebody has",
        () => ["--bind", PODS[0], "--http-port", "8080", "--https-port", "0", "--healthz-port", "0"],
        1,
        /^fairlead: listening for Ingress on TCP 10\.244\.0\.11 port 8080: taken by node \(pid \d+\); end it, or choose another with --http-port\n$/m,
      ],
      [
        "an address that is nobody's here",
        () => ["--bind", "192.0.2.1", "--healthz-port", "0"],
        1,
        /^fairlead: listening for Ingress on TCP 192\.0\.2\.1 port 80: no interface has this address\n$/m,
      ],
      [
        "a port of the pages that somebody has",
        () => [
          "--bind",
          "127.0.0.1",
          "--http-port",
          "0",
          "--https-port",
          "0",
          "--metrics-bind-address",
          `${PODS[0]}:8080`,
        ],
        1,
        /^fairlead: serving \/healthz and \/metrics on TCP 10\.244\.0\.11 port 8080: taken by node \(pid \d+\); end it, or choose another port with --healthz-port or --metrics-bind-address\n$/m,
      ],
      ["a flag that is none", () => ["--no-such-flag"], 2, /^fairlead: .*unknown flag --no-such-flag/],
      ["an engine that is none", () => ["--engine", "nginx"], 2, /^fairlead: --engine: "nginx" is not one of/],
      [
        "HAProxy where it is not installed",
        () => [
          "--bind",
          "127.0.0.1",
          "--http-port",
          "0",
          "--https-port",
          "0",
          "--healthz-port",
          "0",
          "--engine",
          "haproxy",
        ],
        1,
        /^fairlead: choosing what carries Ingress: .*\/nowhere\/haproxy.*\n$/m,
        { FAIRLEAD_HAPROXY: "/nowhere/haproxy" },
      ],
      [
        "a kubeconfig that is not there",
        () => ["--kubeconfig", join(scratch, "none")],
        1,
        /^fairlead: looking for the API server: there is no file \S+\/none\n$/,
      ],
    ];
    for (const [what, flags, code, said, env] of CASES) {
      test(what, async () => {
        const given = flags();
        const own = given.includes("--kubeconfig") ? [] : ["--kubeconfig", kubeconfig];
        const its = await launch([...given, ...own], { ...env });
        assert.equal(await its.process.ended, code, its.said());
        assert.match(its.said(), said);
      });
    }
  });

  test("with the API server away it goes on serving, sessions too, and ends when it is told", async () => {
    const door = await start("builtin");
    const { cookie, body } = await ask(door.port, "web.example");
    await subject.close();
    await until("it to have noticed", () => /listing or watching failed/.test(door.said()));
    for (let count = 0; count < 5; count++) assert.equal((await ask(door.port, "web.example", { cookie })).body, body);
    assert.deepEqual(await page(door.pages, "/readyz"), [200, "ok\n"]);
    await end(door);
  });
});
