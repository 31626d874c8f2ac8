import { deepEqual, equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { childrenOf } from "../../src/host/process-identity.ts";
import { systemHost } from "../../src/host/processes.ts";
import { PROXY_LINK } from "../../src/proxy/engines/userspace/routes.ts";
import { until } from "../lab/until.ts";
import { call, datagramCaller, openGround, serveDatagrams, serveName, type Ground } from "./userspace-lab/ground.ts";

const host = systemHost();
const links = async (): Promise<string> => (await host.check("ip", ["-o", "link"])).stdout;

describe("sockets of the userspace engine", () => {
  let ground: Ground;
  before(async () => {
    ground = await openGround({ udpIdleTimeout: 1000 });
  });
  after(() => ground.close());

  test("PRX-197: a node port that another program has is not claimed; that is said, and it is carried as soon as it is free", async () => {
    const theirs = createServer((socket) => socket.end("theirs"));
    theirs.listen(30_101, "127.0.0.1");
    await once(theirs, "listening");
    const server = await serveName("127.0.0.2", 9101);
    const spec = { type: "NodePort", ports: [{ name: "p", port: 80, protocol: "TCP", nodePort: 30_101 }] };
    await ground.put("taken", 101, [["127.0.0.2", 9101]], { spec });
    equal(await call("127.0.0.1", 30_101), "theirs");
    equal(await call("10.96.0.101", 80), "127.0.0.2", "the other ways in are carried");
    const said = ground.engine.complaints?.("default/taken");
    deepEqual(said, [
      "TCP 127.0.0.1:30101 of default/taken is not carried: another program listens there; it is tried again every second",
    ]);
    theirs.close();
    await until("the node port to be carried", async () => (await call("127.0.0.1", 30_101)) === "127.0.0.2");
    await until("the complaint to be gone", () => ground.engine.complaints?.("default/taken").length === 0);
    server.close();
  });

  test("PRX-196: one flow for each caller, that ends when nothing passes", async () => {
    const servers = await Promise.all([serveDatagrams("127.0.0.3", 9102), serveDatagrams("127.0.0.4", 9102)]);
    const endpoints = [["127.0.0.3", 9102] as const, ["127.0.0.4", 9102] as const];
    await ground.put("flows", 102, endpoints, { protocol: "UDP" });
    const caller = await datagramCaller("10.96.0.102", 80);
    const first = await caller.ask();
    for (let times = 0; times < 5; times++) equal(await caller.ask(), first, "the same target, by the same socket");
    await until("another flow after a pause", async () => {
      await new Promise((resolve) => setTimeout(resolve, 1800));
      return (await caller.ask()) !== first;
    });
    const other = await datagramCaller("10.96.0.102", 80);
    ok((await other.ask()) !== (await caller.ask()), "callers have flows of their own");
    for (const one of [caller, other, ...servers]) one.close();
  });

  test("PRX-196: a flow of an endpoint that is gone goes on with another at once, and without any is refused", async () => {
    const servers = await Promise.all([serveDatagrams("127.0.0.5", 9103), serveDatagrams("127.0.0.6", 9103)]);
    await ground.put("moving", 103, [["127.0.0.5", 9103]], { protocol: "UDP" });
    const caller = await datagramCaller("10.96.0.103", 80);
    match(await caller.ask(), /^127\.0\.0\.5 /);
    await ground.put("moving", 103, [["127.0.0.6", 9103]], { protocol: "UDP" });
    match(await caller.ask(), /^127\.0\.0\.6 /);
    await ground.put("moving", 103, [], { protocol: "UDP" });
    equal(await caller.ask(), "ECONNREFUSED");
    for (const one of [caller, ...servers]) one.close();
  });

  test("a datagram that an endpoint refuses is given to another", async () => {
    const server = await serveDatagrams("127.0.0.7", 9104);
    const endpoints = [["127.0.0.7", 9104] as const, ["127.0.0.8", 9104] as const];
    await ground.put("refusing", 104, endpoints, { protocol: "UDP" });
    for (let times = 0; times < 6; times++) {
      const caller = await datagramCaller("10.96.0.104", 80);
      match(await caller.ask(), /^127\.0\.0\.7 /);
      caller.close();
    }
    server.close();
  });

  test("PRX-083: node ports answer on 127.0.0.1 too", async () => {
    const server = await serveName("127.0.0.9", 9105);
    const spec = { type: "NodePort", ports: [{ name: "p", port: 80, protocol: "TCP", nodePort: 30_105 }] };
    await ground.put("loopback", 105, [["127.0.0.9", 9105]], { spec });
    equal(await call("127.0.0.1", 30_105), "127.0.0.9");
    server.close();
  });

  test("PRX-200: the carrier may open at least 64,000 files where it is allowed to", async () => {
    const { stdout } = await host.check("sh", [
      "-c",
      `prlimit --pid "$0" --nofile --raw --noheadings -o SOFT`,
      String(await pidOf()),
    ]);
    const { code } = await host.run("prlimit", ["--nofile=64000:64000", "true"]);
    if (code === 0) ok(Number(stdout) >= 64_000, `it may open ${stdout.trim()}`);
    else ok(Number(stdout) > 0);
  });

  test("1,000 Services are 1,000 sockets, and one change is one change", async () => {
    const server = await serveName("127.0.0.10", 9106);
    const addresses = Array.from({ length: 1000 }, (_, at) => `10.96.${10 + (at >> 8)}.${at & 255}`);
    const specOf = (ip: string): Parameters<Ground["put"]>[3] => ({ spec: { clusterIP: ip, clusterIPs: [ip] } });
    await ground.together(async () => {
      for (const [at, ip] of addresses.entries()) {
        await ground.put(`many-${at}`, 1, [["127.0.0.10", 9106]], specOf(ip));
      }
    });
    for (const ip of addresses.filter((_, at) => at % 50 === 0)) equal(await call(ip, 80), "127.0.0.10");
    await ground.put("many-7", 1, [], specOf(addresses[7]!));
    equal(await call(addresses[7]!, 80), "ECONNREFUSED");
    equal(await call(addresses[8]!, 80), "127.0.0.10");
    await ground.together(async () => {
      for (const at of addresses.keys()) await ground.remove(`many-${at}`);
    });
    server.close();
  });

  test("somebody takes our addresses or our process away: it is noticed, and all is carried again", async () => {
    const server = await serveName("127.0.0.11", 9107);
    const { signal } = new AbortController();
    await ground.put("healed", 107, [["127.0.0.11", 9107]]);
    ok(await ground.engine.intact(ground.state(), signal));
    await host.check("ip", ["link", "del", PROXY_LINK]);
    equal(await ground.engine.intact(ground.state(), signal), false);
    await ground.again();
    equal(await call("10.96.0.107", 80), "127.0.0.11");
    process.kill(await pidOf(), "SIGKILL");
    await until("the end to be noticed", async () => !(await ground.engine.intact(ground.state(), signal)));
    await ground.again();
    equal(await call("10.96.0.107", 80), "127.0.0.11");
    server.close();
  });

  test("clean-up takes away the interface, and all that hung on it", async () => {
    const { signal } = new AbortController();
    match(await links(), new RegExp(PROXY_LINK));
    await ground.engine.cleanup(signal);
    equal((await links()).includes(PROXY_LINK), false);
    equal((await host.check("ip", ["route", "show", "table", "all"])).stdout.includes("10.96."), false);
    await ground.engine.cleanup(signal);
  });
});

/** The carrier of this process. */
async function pidOf(): Promise<number> {
  for (const pid of await childrenOf(process.pid)) {
    if ((await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("carrier/main.ts")) return pid;
  }
  throw new Error("looking for the carrier: this process has no such child");
}
