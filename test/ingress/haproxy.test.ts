import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect as connectNet } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import { identityOf, isRunning } from "../../src/host/process-identity.ts";
import type { Certificate, IngressPlan } from "../../src/ingress/plan/plan.ts";
import { cookieAffinity } from "./plans.ts";
import { haproxy, WITHOUT_HAPROXY } from "../lab/haproxy.ts";
import { until } from "../lab/until.ts";
import {
  backend,
  endpoint,
  get,
  host,
  noEngine,
  PLAIN,
  plan,
  route,
  stand,
  worker,
  type Stand,
  type Worker,
} from "./haproxy-ground.ts";
import { createCertificate } from "./lab/certificates.ts";

const skip = haproxy === undefined ? WITHOUT_HAPROXY : false;
const ALL = { type: "prefix", path: "" } as const;

interface State {
  readonly process: { readonly pid: number; readonly startTicks: number };
  readonly generation: number;
}
const running = async (at: Stand): Promise<State> =>
  JSON.parse(await readFile(join(at.directory, "running.json"), "utf8")) as State;

const who = async (at: Stand, name: string, path = "/", headers: Record<string, string> = {}): Promise<string> => {
  const { status, headers: got } = await get(at.port, name, path, headers);
  return status === 200 ? String(got["x-worker"]) : String(status);
};

const AFFINITY = cookieAffinity();

/** What an unused port answers: nothing. */
const CLOSED = 9;

void describe("HAProxy carries a plan", { skip }, () => {
  let at: Stand;
  const workers: Worker[] = [];
  const start = async (name: string): Promise<Worker> => {
    const made = await worker(name);
    workers.push(made);
    return made;
  };
  let a: Worker;
  let b: Worker;
  let c: Worker;
  before(async () => {
    [a, b, c] = [await start("a"), await start("b"), await start("c")];
    at = await stand(await mkdtemp(join(tmpdir(), "fl-hp-")));
    await at.engine.apply(plan([], []));
  });
  after(async () => {
    await at.engine.stop(0);
    for (const one of workers) await one.close();
    await rm(at.directory, { recursive: true, force: true });
  });

  /** Carries it, and says that no worker was changed for it. */
  const applyWithoutReload = async (next: IngressPlan): Promise<void> => {
    const { generation } = await running(at);
    await at.engine.apply(next);
    assert.equal((await running(at)).generation, generation, "new workers were needed");
  };

  void test("CTL-130, CTL-131, CTL-132, CTL-133, CTL-135: hosts and paths, without new workers", async () => {
    await applyWithoutReload(
      plan(
        [
          host("a.example", route("a.example", ALL, "a")),
          host(
            "b.example",
            route("b.example", { type: "exact", path: "/foo" }, "b"),
            route("b.example", { type: "prefix", path: "/foo" }, "a"),
          ),
          host("*.example", route("*.example", ALL, "b")),
        ],
        [backend("a", [endpoint("a", a.port)]), backend("b", [endpoint("b", b.port)])],
      ),
    );
    assert.equal(await who(at, "a.example", "/x"), "a");
    assert.equal(await who(at, "A.Example:80", "/x"), "a");
    assert.equal(await who(at, "a.example.", "/x"), "a");
    assert.equal(await who(at, "b.example", "/foo"), "b");
    assert.equal(await who(at, "b.example", "/foo?q=/x"), "b");
    assert.equal(await who(at, "b.example", "/foo/"), "a");
    assert.equal(await who(at, "b.example", "/foo/bar"), "a");
    assert.equal(await who(at, "b.example", "/foobar"), "404");
    assert.equal(await who(at, "b.example", "/FOO"), "404");
    assert.equal(await who(at, "c.example", "/"), "b");
    assert.equal(await who(at, "d.c.example", "/"), "404");
    assert.equal(await who(at, "example", "/"), "404");
  });

  void test("expressions decide in their order among other paths, and change without new workers", async () => {
    const two = [backend("a", [endpoint("a", a.port)]), backend("b", [endpoint("b", b.port)])];
    const first = route("r.example", { type: "regex", source: "/v[0-9]+/(get|put)$" }, "a");
    const last = route("r.example", ALL, "b");
    await applyWithoutReload(plan([host("r.example", first, last)], two));
    assert.equal(await who(at, "r.example", "/v12/get"), "a");
    assert.equal(await who(at, "r.example", "/V1/PUT"), "a");
    assert.equal(await who(at, "r.example", "/v12/gets"), "b");
    assert.equal(await who(at, "r.example", "/x/v12/get"), "b");
    await applyWithoutReload(
      plan([host("r.example", route("r.example", { type: "exact", path: "/v1/get" }, "b"), first, last)], two),
    );
    assert.equal(await who(at, "r.example", "/v1/get"), "b");
    assert.equal(await who(at, "r.example", "/v2/get"), "a");
    await applyWithoutReload(plan([host("r.example", route("r.example", ALL, "a"))], two));
    assert.equal(await who(at, "r.example", "/v1/get"), "a");
  });

  void test("CTL-153: endpoints come, drain and go without new workers", async () => {
    const hosts = [host("e.example", route("e.example", ALL, "e"))];
    const seen = async (): Promise<string[]> => {
      const names = new Set<string>();
      for (let i = 0; i < 12; i += 1) names.add(await who(at, "e.example"));
      return [...names].toSorted();
    };
    await applyWithoutReload(plan(hosts, [backend("e", [])]));
    assert.deepEqual(await seen(), ["503"]);
    await applyWithoutReload(plan(hosts, [backend("e", [endpoint("a", a.port), endpoint("b", b.port)])]));
    assert.deepEqual(await seen(), ["a", "b"]);
    await applyWithoutReload(
      plan(hosts, [backend("e", [endpoint("a", a.port, { state: "draining" }), endpoint("b", b.port)])]),
    );
    assert.deepEqual(await seen(), ["b"]);
    await applyWithoutReload(plan(hosts, [backend("e", [endpoint("b", b.port), endpoint("c", c.port)])]));
    assert.deepEqual(await seen(), ["b", "c"]);
    // One that went comes back before its last connection was forgotten.
    await applyWithoutReload(plan(hosts, [backend("e", [endpoint("a", a.port)])]));
    assert.deepEqual(await seen(), ["a"]);
  });

  void test("CTL-139: a route without a backend, and one that may not be open, answer 503", async () => {
    await at.engine.apply(
      plan(
        [
          host("n.example", route("n.example", ALL, "none")),
          host("x.example", route("x.example", ALL, "a", { settings: { ...PLAIN, refused: "no key" } })),
        ],
        [backend("a", [endpoint("a", a.port)])],
      ),
    );
    assert.equal(await who(at, "n.example"), "503");
    assert.equal(await who(at, "x.example"), "503");
  });

  void test("CTL-163, CTL-164, CTL-165: the cookie says the endpoint by its token, and a foreign one is none", async () => {
    const affine = route("s.example", ALL, "s", { affinity: AFFINITY });
    const three = [endpoint("a", a.port), endpoint("b", b.port), endpoint("c", c.port)];
    // The name of the cookie is new: that costs new workers, once.
    await at.engine.apply(plan([host("s.example", affine)], [backend("s", three)]));
    const first = await get(at.port, "s.example");
    const [cookie] = first.headers["set-cookie"]!;
    const owner = String(first.headers["x-worker"]);
    assert.equal(cookie, `INGRESSCOOKIE=token-${owner}; Path=/; HttpOnly`);
    for (let i = 0; i < 6; i += 1) {
      const again = await get(at.port, "s.example", "/", { cookie: `x=1; INGRESSCOOKIE=token-${owner}; y=2` });
      assert.equal(again.headers["x-worker"], owner);
      assert.equal(again.headers["set-cookie"], undefined);
    }
    const foreign = await get(at.port, "s.example", "/", { cookie: "INGRESSCOOKIE=s/token-a" });
    assert.match(foreign.headers["set-cookie"]![0]!, /^INGRESSCOOKIE=token-/);

    // Growth moves nobody; draining keeps sessions.
    const draining = three.map((one) => (one.key === owner ? { ...one, state: "draining" as const } : one));
    await applyWithoutReload(plan([host("s.example", affine)], [backend("s", draining)]));
    for (let i = 0; i < 6; i += 1) {
      assert.equal(await who(at, "s.example", "/", { cookie: `INGRESSCOOKIE=token-${owner}` }), owner);
      assert.notEqual(await who(at, "s.example"), owner);
    }
    // A former key's cookie keeps the session, and is replaced.
    const rotated = three.map((one) => ({ ...one, tokens: [`new-${one.key}`, `token-${one.key}`] }));
    await applyWithoutReload(plan([host("s.example", affine)], [backend("s", rotated)]));
    const renewed = await get(at.port, "s.example", "/", { cookie: `INGRESSCOOKIE=token-${owner}` });
    assert.equal(renewed.headers["x-worker"], owner);
    assert.match(renewed.headers["set-cookie"]![0]!, new RegExp(`^INGRESSCOOKIE=new-${owner};`));
  });

  void test("CTL-161: after a failure the client moves for good only where that is asked for", async () => {
    const routes = (changeOnFailure: boolean) => [
      host("f.example", route("f.example", ALL, "f", { affinity: { ...AFFINITY, changeOnFailure } })),
    ];
    const backends = [backend("f", [endpoint("dead", CLOSED), endpoint("b", b.port)])];
    await at.engine.apply(plan(routes(false), backends));
    const kept = await get(at.port, "f.example", "/", { cookie: "INGRESSCOOKIE=token-dead" });
    assert.equal(kept.headers["x-worker"], "b");
    assert.equal(kept.headers["set-cookie"], undefined);
    await applyWithoutReload(plan(routes(true), backends));
    const moved = await get(at.port, "f.example", "/", { cookie: "INGRESSCOOKIE=token-dead" });
    assert.equal(moved.headers["x-worker"], "b");
    assert.match(moved.headers["set-cookie"]![0]!, /^INGRESSCOOKIE=token-b;/);
  });

  void test("CTL-159, CTL-160: what a cookie says besides", async () => {
    await at.engine.apply(
      plan(
        [
          host(
            "k.example",
            route("k.example", ALL, "k", {
              affinity: {
                ...AFFINITY,
                path: "/shop",
                domain: "k.example",
                sameSite: "Lax",
                maxAge: 60,
                expires: 3600,
                secure: true,
              },
            }),
          ),
        ],
        [backend("k", [endpoint("a", a.port)])],
      ),
    );
    const [cookie = ""] = (await get(at.port, "k.example")).headers["set-cookie"] ?? [];
    assert.match(
      cookie,
      /^INGRESSCOOKIE=token-a; Expires=[A-Z][a-z]{2}, [^;]+ GMT; Max-Age=60; Domain=k\.example; Path=\/shop; Secure; HttpOnly; SameSite=Lax$/,
    );
    const expires = Date.parse(/Expires=([^;]+)/.exec(cookie)![1]!);
    assert.ok(Math.abs(expires - Date.now() - 3_600_000) < 60_000, cookie);
  });

  void test("a cookie cut into the list of commands, and a path with their signs, change nothing else", async () => {
    const odd = "/a;b\\c d";
    const two = [backend("a", [endpoint("a", a.port)]), backend("b", [endpoint("b", b.port)])];
    const at1 = route("o.example", { type: "prefix", path: odd.replace(" ", "") }, "a");
    const rest = route("o.example", { type: "exact", path: "/" }, "b");
    await applyWithoutReload(plan([host("o.example", at1, rest)], two));
    assert.equal(await who(at, "o.example", "/a;b\\cd/x"), "a");
    await applyWithoutReload(plan([host("o.example", { ...at1, backend: "default/b:80" }, rest)], two));
    assert.equal(await who(at, "o.example", "/a;b\\cd/x"), "b");
    await applyWithoutReload(plan([host("o.example", rest)], two));
    assert.equal(await who(at, "o.example", "/a;b\\cd/x"), "404");
  });

  void test("without an access log it counts by itself, over new workers, by Service", async () => {
    const directory = await mkdtemp(join(tmpdir(), "fl-hp-"));
    const quiet = await stand(directory, { accessLog: undefined });
    try {
      const first = plan([host("a.example", route("a.example", ALL, "a"))], [backend("a", [endpoint("a", a.port)])]);
      await quiet.engine.apply(first);
      for (let count = 0; count < 3; count++) assert.equal(await who(quiet, "a.example"), "a");
      assert.equal(await who(quiet, "nobody.example"), "404");
      // A request is counted when it has ended, which its client may know a moment sooner.
      const counted = (good: number): Promise<unknown> =>
        until(`${good} requests and one for nobody to be counted`, async () => {
          const counts = await quiet.engine.readCounts!();
          return (
            counts.length === 2 &&
            counts.some((one) => one.backend === "default/a:80" && one.status === "2xx" && one.requests === good) &&
            counts.some((one) => one.backend === undefined && one.status === "4xx" && one.requests === 1)
          );
        });
      await counted(3);
      // A cookie's name that is new needs new workers, which count from 0.
      const sticky = { ...route("a.example", ALL, "a"), affinity: { ...AFFINITY, name: "OTHER" } };
      await quiet.engine.apply(plan([host("a.example", sticky)], [backend("a", [endpoint("a", a.port)])]));
      assert.equal((await running(quiet)).generation, 2);
      for (let count = 0; count < 2; count++) assert.equal(await who(quiet, "a.example"), "a");
      await counted(5);
      assert.doesNotMatch(await readFile(join(directory, "haproxy.cfg"), "utf8"), /^ +log /m);
      assert.deepEqual(quiet.exchanges, []);
    } finally {
      await quiet.engine.stop(0);
      await rm(directory, { recursive: true, force: true });
    }
  });

  void test("CTL-140: certificates come, change and go by name while it runs", async () => {
    const made = async (secret: string, ...names: string[]): Promise<Certificate> => {
      const pair = await createCertificate(names);
      return { secret, chain: pair.certificate, key: pair.key };
    };
    const shown = (name: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: at.tlsPort, servername: name, rejectUnauthorized: false });
        socket.on("error", reject);
        socket.on("secureConnect", () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        });
      });
    const print = async ({ chain }: Certificate): Promise<string> =>
      new (await import("node:crypto")).X509Certificate(chain).fingerprint256;
    const fallback = await made("", "fallback.test");
    const one = await made("default/one", "one.test");
    const star = await made("default/star", "*.star.test");
    const withOnly = (certificates: readonly (readonly [string, Certificate])[]): IngressPlan =>
      plan([], [], new Map(certificates));
    // A default where there was none: said at start.
    await at.engine.apply(withOnly([["", fallback]]));
    assert.equal(await shown("one.test"), await print(fallback));
    await applyWithoutReload(
      withOnly([
        ["", fallback],
        ["one.test", one],
        ["*.star.test", star],
      ]),
    );
    assert.equal(await shown("one.test"), await print(one));
    assert.equal(await shown("ONE.test"), await print(one));
    // More names of one certificate than a line has room for, at once and one more.
    const many = Array.from({ length: 5000 }, (_, at) => [`host-${at}.many.test`, one] as const);
    await applyWithoutReload(withOnly([["", fallback], ["*.star.test", star], ...many]));
    for (const at of [0, 2500, 4999]) assert.equal(await shown(`host-${at}.many.test`), await print(one));
    await applyWithoutReload(withOnly([["", fallback], ["*.star.test", star], ["one.test", one], ...many.slice(1)]));
    assert.equal(await shown("host-4999.many.test"), await print(one));
    assert.equal(await shown("host-0.many.test"), await print(fallback));
    assert.equal(await shown("a.star.test"), await print(star));
    assert.equal(await shown("b.a.star.test"), await print(fallback));
    assert.equal(await shown("fallback.test"), await print(fallback));
    const renewed = await made("default/one", "one.test", "two.test");
    await applyWithoutReload(
      withOnly([
        ["", fallback],
        ["one.test", renewed],
        ["two.test", renewed],
        ["*.star.test", star],
      ]),
    );
    assert.equal(await shown("one.test"), await print(renewed));
    assert.equal(await shown("two.test"), await print(renewed));
    const other = await made("", "fallback.test");
    await applyWithoutReload(
      withOnly([
        ["", other],
        ["two.test", renewed],
      ]),
    );
    assert.equal(await shown("one.test"), await print(other));
    assert.equal(await shown("a.star.test"), await print(other));
    assert.equal(await shown("two.test"), await print(renewed));
  });

  void test("CTL-141: plain requests are sent to https with path and query", async () => {
    await at.engine.apply(
      plan(
        [host("t.example", route("t.example", ALL, "a", { settings: { ...PLAIN, httpsRedirect: 308 } }))],
        [backend("a", [endpoint("a", a.port)])],
      ),
    );
    const { status, headers } = await get(at.port, "t.example:8080", "/x?y=1");
    assert.equal(status, 308);
    assert.equal(headers.location, "https://t.example/x?y=1");
  });

  void test("routes that it cannot do are led to the engine behind, which had the plan before", async () => {
    const directory = await mkdtemp(join(tmpdir(), "fl-hp-"));
    const plans: IngressPlan[] = [];
    const other = await stand(directory, { behind: noEngine(plans) });
    try {
      const next = plan(
        [host("m.example", route("m.example", ALL, "a", { settings: { ...PLAIN, rewrite: { target: "/x" } } }))],
        [backend("a", [endpoint("a", a.port)])],
      );
      await other.engine.apply(next);
      assert.deepEqual(plans, [next]);
      // Nobody listens there in this test: what is asked is not answered by the backend itself.
      assert.equal(await who(other, "m.example"), "502");
    } finally {
      await other.engine.stop(0);
      await rm(directory, { recursive: true, force: true });
    }
  });
});

void describe("HAProxy's processes", { skip }, () => {
  let directory: string;
  let a: Worker;
  let at: Stand;
  let server: WebSocketServer;
  const simple = (...cookies: string[]): IngressPlan =>
    plan(
      [
        host("a.example", route("a.example", ALL, "a")),
        ...cookies.map((name) =>
          host(`${name}.example`, route(`${name}.example`, ALL, "a", { affinity: { ...AFFINITY, name } })),
        ),
      ],
      [backend("a", [endpoint("a", a.port)])],
    );
  before(async () => {
    a = await worker("a");
    server = new WebSocketServer({ server: a.server });
    server.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
    directory = await mkdtemp(join(tmpdir(), "fl-hp-"));
    at = await stand(directory);
    await at.engine.apply(simple());
  });
  after(async () => {
    await at.engine.stop(0);
    server.close();
    await a.close();
    await rm(directory, { recursive: true, force: true });
  });

  const openSockets = async (count: number, port = at.port): Promise<WebSocket[]> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: "a.example" } });
        await once(socket, "open");
        return socket;
      }),
    );
  const echo = async (sockets: readonly WebSocket[]): Promise<void> =>
    void (await Promise.all(
      sockets.map(async (socket) => {
        socket.send("x");
        await once(socket, "message");
      }),
    ));

  void test("new workers lose no request, and 50 WebSockets stay", async () => {
    const sockets = await openSockets(50);
    const ending = new AbortController();
    let asked = 0;
    const wrong: string[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!ending.signal.aborted) {
        asked += 1;
        const said = await who(at, "a.example").catch((error: Error) => error.message);
        if (said !== "a") wrong.push(said);
      }
    });
    const before = (await running(at)).generation;
    await at.engine.apply(simple("one"));
    await at.engine.apply(simple("one", "two"));
    assert.equal((await running(at)).generation, before + 2);
    await until("requests by the newest workers", async () => (await who(at, "two.example")) === "a");
    ending.abort();
    await Promise.all(load);
    assert.deepEqual(wrong, []);
    assert.ok(asked > 0);
    await echo(sockets);
    for (const socket of sockets) socket.close();
  });

  void test("a connection that is idle when new workers come is answered once more", async () => {
    const socket = connectNet(at.port, "127.0.0.1");
    await once(socket, "connect");
    let text = "";
    socket.on("data", (data: Buffer) => (text += data.toString("latin1")));
    const ask = (): void => void socket.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    ask();
    await until("the first answer", () => text.includes("200 OK"));
    text = "";
    await at.engine.apply(simple("one", "two", "three"));
    ask();
    await until("the second answer", () => text.includes("200 OK"));
    socket.destroy();
  });

  void test("a configuration that HAProxy does not take is told in its words, and the old one stays", async () => {
    const { generation } = await running(at);
    const bad = simple("one", "two", "three");
    const wrong: IngressPlan = {
      ...bad,
      certificates: new Map([["", { secret: "default/bad", chain: "no certificate", key: "no key" }]]),
    };
    await assert.rejects(
      at.engine.apply(wrong),
      /changing HAProxy's configuration: it would not take .*next\.cfg.*goes on with what it has/,
    );
    assert.equal((await running(at)).generation, generation);
    assert.equal(await who(at, "a.example"), "a");
    await at.engine.apply(bad);
    assert.equal(await who(at, "a.example"), "a");
  });

  void test("whoever comes after a controller that was killed takes over what runs", async () => {
    const place = await mkdtemp(join(tmpdir(), "fl-hp-"));
    const controller = spawn(
      process.execPath,
      [join(import.meta.dirname, "haproxy-controller.ts"), place, String(a.port)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [said] = (await once(controller.stdout, "data")) as [Buffer];
    const port = Number(said.toString());
    const next = await stand(place);
    try {
      const { process: was } = await running(next);
      const sockets = await openSockets(5, port);
      controller.kill("SIGKILL");
      await once(controller, "exit");
      // Nobody is there to tell it anything, and it goes on.
      assert.equal((await get(port, "a.example")).status, 200);
      await next.engine.apply(simple("one"));
      assert.deepEqual((await running(next)).process, was);
      assert.equal(next.port, port);
      assert.equal(await who(next, "one.example"), "a");
      await echo(sockets);
      for (const socket of sockets) socket.close();
    } finally {
      controller.kill("SIGKILL");
      await next.engine.stop(0);
      await rm(place, { recursive: true, force: true });
    }
  });

  void test("killed, it is started again on the same port with the same routes", async () => {
    const { process: was } = await running(at);
    process.kill(was.pid, "SIGKILL");
    await until("another HAProxy that answers", async () => {
      if (await isRunning(was)) return false;
      return (await who(at, "a.example").catch(() => "")) === "a" && (await running(at)).process.pid !== was.pid;
    });
    await at.engine.apply(simple("one"));
    assert.equal(await who(at, "one.example"), "a");
  });

  void test("stopped, it lets a request that began come to its end, and is gone", async () => {
    const place = await mkdtemp(join(tmpdir(), "fl-hp-"));
    const other = await stand(place);
    let answer: (() => void) | undefined;
    const slow = await worker("slow", (respond) => (answer = respond));
    try {
      await other.engine.apply(
        plan(
          [host("slow.example", route("slow.example", ALL, "slow"))],
          [backend("slow", [endpoint("slow", slow.port)])],
        ),
      );
      const { process: master } = await running(other);
      const asking = who(other, "slow.example");
      await until("the request at its worker", () => answer !== undefined);
      const stopping = other.engine.stop(30_000);
      await until(
        "no more connections",
        async () => (await get(other.port, "nobody.example").catch(() => undefined)) === undefined,
      );
      answer!();
      assert.equal(await asking, "slow");
      await stopping;
      assert.equal(await isRunning(master), false);
      assert.equal(await identityOf(master.pid).then((found) => found?.startTicks === master.startTicks), false);
    } finally {
      await other.engine.stop(0);
      await slow.close();
      await rm(place, { recursive: true, force: true });
    }
  });

  void test("a directory that cannot be used is told before anything is started", async () => {
    const spaced = await stand("/tmp/with space");
    await assert.rejects(spaced.engine.apply(simple()), /using "\/tmp\/with space" for HAProxy's files/);
    await writeFile(join(directory, "file"), "");
  });
});
