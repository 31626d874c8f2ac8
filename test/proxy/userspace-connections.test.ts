import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, describe, test } from "node:test";
import { until } from "../lab/until.ts";
import { call, openGround, serve, serveName, SILENT, type Ground, type How } from "./userspace-lab/ground.ts";

const MEGABYTES = 100;

/** So many megabytes that are not all alike, and their digest as they pass. */
function bytes(megabytes: number, seed: number): { stream: Readable; digest: () => string } {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(1 << 20);
  let made = 0;
  const stream = new Readable({
    read() {
      if (made++ === megabytes) return void this.push(null);
      const one = Buffer.from(chunk).fill(`${seed} ${made} `);
      hash.update(one);
      this.push(one);
    },
  });
  return { stream, digest: () => hash.copy().digest("hex") };
}

/** The digest of all that a connection says until it ends. */
async function digestOf(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  socket.on("data", (chunk) => void hash.update(chunk));
  await once(socket, "end");
  return hash.digest("hex");
}

describe("connections through the userspace engine", () => {
  let ground: Ground;
  before(async () => {
    ground = await openGround();
  });
  after(() => ground.close());

  test(`PRX-195: ${MEGABYTES} MB each way at one time, each end by itself, and no byte is lost`, async () => {
    const answer = bytes(MEGABYTES, 2);
    const heard = Promise.withResolvers<string>();
    const server = await serve("127.0.0.2", 9001, (socket) => {
      void digestOf(socket).then(heard.resolve);
      void pipeline(answer.stream, socket);
    });
    await ground.put("bulk", 1, [["127.0.0.2", 9001]]);
    const socket = connect({ host: "10.96.0.1", port: 80, allowHalfOpen: true });
    const question = bytes(MEGABYTES, 1);
    const got = digestOf(socket);
    await pipeline(question.stream, socket);
    equal(await heard.promise, question.digest());
    equal(await got, answer.digest());
    server.close();
  });

  test("PRX-195: who has ended its own side still hears the answer", async () => {
    const server = await serve("127.0.0.2", 9002, (socket) => {
      let text = "";
      socket.on("data", (chunk) => (text += String(chunk)));
      socket.on("end", () => socket.end(`heard ${text}`));
    });
    await ground.put("half", 2, [["127.0.0.2", 9002]]);
    const socket = connect({ host: "10.96.0.2", port: 80, allowHalfOpen: true });
    let answer = "";
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.end("question");
    await once(socket, "end");
    equal(answer, "heard question");
    server.close();
  });

  test("a reset of one side is a reset for the other", async () => {
    const seen = Promise.withResolvers<string>();
    const server = await serve("127.0.0.2", 9003, (socket) => {
      socket.on("error", (error: NodeJS.ErrnoException) => seen.resolve(error.code ?? ""));
      socket.on("data", (chunk) => String(chunk) === "reset" && socket.resetAndDestroy());
      socket.write("hello");
    });
    await ground.put("reset", 3, [["127.0.0.2", 9003]]);
    const [ours, theirs] = [connect(80, "10.96.0.3"), connect(80, "10.96.0.3")];
    for (const socket of [ours, theirs]) await once(socket, "data");
    const heard = once(theirs, "error");
    theirs.on("error", () => {});
    theirs.write("reset");
    equal(((await heard.catch((error: unknown) => [error])) as [NodeJS.ErrnoException])[0].code, "ECONNRESET");
    ours.resetAndDestroy();
    equal(await seen.promise, "ECONNRESET");
    server.close();
  });

  test("PRX-149, PRX-194: endpoints that refuse or say nothing cost no connection while one answers", async () => {
    const server = await serveName("127.0.0.4", 9004);
    await ground.put("mixed", 4, [
      ["127.0.0.4", 9004],
      ["127.0.0.5", 9004],
      [SILENT, 9004],
    ]);
    const answers = await Promise.all(Array.from({ length: 30 }, () => call("10.96.0.4", 80)));
    deepEqual(new Set(answers), new Set(["127.0.0.4"]));
    server.close();
  });

  test("PRX-198: hints, Local policies, endpoints that end and source ranges are as with every other engine", async () => {
    const PAIR = [
      ["127.0.0.14", 9014],
      ["127.0.0.15", 9014],
    ] as const;
    const servers = await Promise.all(PAIR.map(([ip, port]) => serveName(ip, port)));
    const reached = async (number: number, how: How): Promise<string> => {
      await ground.put(`like${number}`, number, PAIR, how);
      const answers = await Promise.all(Array.from({ length: 10 }, () => call(`10.96.0.${number}`, 80)));
      return [...new Set(answers)].toSorted().join();
    };
    equal(await reached(14, {}), "127.0.0.14,127.0.0.15");
    const here = { hints: { forNodes: [{ name: "node1" }] } };
    const there = { hints: { forNodes: [{ name: "node2" }] } };
    equal(await reached(15, { endpoints: [there, here] }), "127.0.0.15", "hints");
    const spec = { internalTrafficPolicy: "Local" };
    equal(await reached(16, { spec, endpoints: [{ nodeName: "node1" }, { nodeName: "node2" }] }), "127.0.0.14");
    const ending = (serving: boolean) => ({ conditions: { ready: false, serving, terminating: true } });
    equal(await reached(17, { endpoints: [ending(false), ending(true)] }), "127.0.0.15", "those that end");
    const change: How["change"] = (plan) => ({
      ...plan,
      ports: plan.ports.map((port) => ({
        ...port,
        sourceRanges: ["127.0.0.99/32"],
        frontends: port.frontends.map((one) => ({ ...one, kind: "loadBalancer" as const })),
      })),
    });
    await ground.put("like18", 18, PAIR, { change });
    match(await call("10.96.0.18", 80, "127.0.0.99"), /^127/);
    const outside = connect({ host: "10.96.0.18", port: 80, localAddress: "127.0.0.98" });
    const silence = new Promise<string>((resolve) => setTimeout(() => resolve("silence"), 500));
    equal(await Promise.race([once(outside, "connect").then(() => "connected"), silence]), "silence");
    outside.destroy();
    for (const one of servers) one.close();
  });

  test("PRX-194: where no endpoint answers, the client is told by a reset", async () => {
    await ground.put("dead", 5, [
      ["127.0.0.6", 9005],
      ["127.0.0.7", 9005],
    ]);
    equal(await call("10.96.0.5", 80), "ECONNRESET");
    await ground.put("dead", 5, [[SILENT, 9005]]);
    const began = performance.now();
    equal(await call("10.96.0.5", 80), "ECONNRESET");
    const took = performance.now() - began;
    ok(took >= 3700, `all four waits of 250 ms, 500 ms, 1 s and 2 s pass first, but it took ${Math.round(took)} ms`);
  });

  test("PRX-103, PRX-199: a client stays with its endpoint, until that one does not answer", async () => {
    const ips = ["127.0.0.11", "127.0.0.12", "127.0.0.13"];
    const servers = new Map(await Promise.all(ips.map(async (ip) => [ip, await serveName(ip, 9006)] as const)));
    const endpoints = ips.map((ip) => [ip, 9006] as const);
    await ground.put("sticky", 6, endpoints, { spec: { sessionAffinity: "ClientIP" } });
    const clients = Array.from({ length: 12 }, (_, at) => `127.0.1.${at + 1}`);
    const ask = (): Promise<string[]> => Promise.all(clients.map((from) => call("10.96.0.6", 80, from)));
    const first = await ask();
    deepEqual(new Set(first), new Set(ips), "the clients are spread");
    deepEqual(await ask(), first);
    const dead = servers.get("127.0.0.12")!;
    dead.close();
    await once(dead, "close");
    const second = await ask();
    first.forEach((ip, at) => {
      if (ip === "127.0.0.12")
        ok(second[at] !== ip && ips.includes(second[at]!), `${clients[at]} went on to ${second[at]}`);
      else equal(second[at], ip);
    });
    const again = await serveName("127.0.0.12", 9006);
    deepEqual(await ask(), second, "who moved stays where it is");
    for (const server of [...servers.values(), again]) server.close();
  });

  test("PRX-137: in turn from a shuffled list, when the Service does not say how", async () => {
    const ips = ["127.0.0.21", "127.0.0.22", "127.0.0.23"];
    const servers = await Promise.all(ips.map((ip) => serveName(ip, 9007)));
    await ground.put(
      "turns",
      7,
      ips.map((ip) => [ip, 9007]),
    );
    const answers: string[] = [];
    for (let times = 0; times < 12; times++) answers.push(await call("10.96.0.7", 80));
    deepEqual(new Set(answers.slice(0, 3)), new Set(ips));
    answers.forEach((ip, at) => equal(ip, answers[at % 3]));
    for (const server of servers) server.close();
  });

  test("least-connections: 20 long connections for each of 10 endpoints: the busiest has at most 1.1 times the mean", async (t) => {
    const ips = Array.from({ length: 10 }, (_, at) => `127.0.0.${31 + at}`);
    const open = new Map<string, number>();
    const sockets: Socket[] = [];
    const servers = await Promise.all(
      ips.map((ip) =>
        serve(ip, 9008, (socket) => {
          open.set(ip, (open.get(ip) ?? 0) + 1);
          socket.write("here");
        }),
      ),
    );
    const busiest = async (balance: "random" | "least-connections"): Promise<number> => {
      const endpoints = ips.map((ip) => [ip, 9008] as const);
      await ground.put(balance, 8, endpoints, {
        change: (plan) => ({ ...plan, ports: plan.ports.map((port) => ({ ...port, balance })) }),
      });
      open.clear();
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const socket = connect(80, "10.96.0.8");
          socket.on("error", () => {});
          sockets.push(socket);
          await once(socket, "data");
        }),
      );
      const most = Math.max(...open.values());
      for (const socket of sockets.splice(0)) socket.destroy();
      await ground.remove(balance);
      return most / 20;
    };
    const least = await busiest("least-connections");
    const random = await busiest("random");
    t.diagnostic(`busiest over mean: least-connections ${least}, random ${random}`);
    ok(least <= 1.1, `the busiest has ${least} times the mean`);
    for (const server of servers) server.close();
  });

  test("established connections of an endpoint that is gone are kept, or closed where the Service says so", async () => {
    const servers = await Promise.all(
      ["127.0.0.51", "127.0.0.52"].map((ip) => serve(ip, 9009, (socket) => void socket.pipe(socket))),
    );
    const open = async (after: number | undefined): Promise<Socket> => {
      const change = { change: withRemoval(after) };
      await ground.put("going", 9, [["127.0.0.51", 9009]], change);
      const socket = connect(80, "10.96.0.9");
      socket.on("error", () => {});
      socket.write("a");
      await once(socket, "data");
      await ground.put("going", 9, [["127.0.0.52", 9009]], change);
      return socket;
    };
    const kept = await open(undefined);
    kept.write("b");
    equal(String((await once(kept, "data"))[0]), "b");
    kept.destroy();
    const closed = await open(0);
    await until("the connection to be reset", () => closed.destroyed);
    const soon = await open(300);
    soon.write("b");
    equal(String((await once(soon, "data"))[0]), "b", "it lives on for a while");
    await until("the connection to be reset later", () => soon.destroyed);
    for (const server of servers) server.close();
  });
});

const withRemoval =
  (after: number | undefined): How["change"] =>
  (plan) => ({
    ...plan,
    ports: plan.ports.map((port) => ({
      ...port,
      onRemoval: after === undefined ? { action: "keep" as const } : { action: "close" as const, after },
    })),
  });
