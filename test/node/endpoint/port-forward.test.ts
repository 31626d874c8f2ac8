import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Running } from "../../../src/host/host.ts";
import { until } from "../../lab/until.ts";
import { kubectlPlace, promised, type KubectlPlace, type Way } from "./kubectl-ways.ts";
import { clusterScene, type ClusterScene } from "./scene.ts";

let scene: ClusterScene;
let place: KubectlPlace;
let echo: Server;
const open = new Set<Socket>();
before(async () => {
  scene = await clusterScene();
  place = kubectlPlace(scene);
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await scene.close();
  place.remove();
  echo.close();
});

if (promised.length === 0) {
  void test(
    "port-forward with kubectl 1.20 and 1.32",
    { skip: "neither is in PATH, nor Debian's in the checkout" },
    () => {},
  );
}

/** kubectl forwarding to a port, once it listens. */
async function forwarding(way: Way, port: number): Promise<{ kubectl: Running; local: number; said: () => string }> {
  const kubectl = await place.start(way, ["port-forward", "pod/talker", `:${port}`, "--address", "127.0.0.1"]);
  let text = "";
  for (const stream of [kubectl.stdout, kubectl.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const local = await until(
    "kubectl to listen",
    () => Number(/from 127\.0\.0\.1:(\d+) ->/.exec(text)?.[1]) || undefined,
  );
  return { kubectl, local, said: () => text };
}

async function sendAndHear(local: number, data: Buffer): Promise<Buffer> {
  const socket = connect({ port: local, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(data);
  return buffer(socket);
}

for (const way of promised) {
  void test(
    `${way.name}: port-forward carries many connections at once, each whole`,
    { timeout: 120_000 },
    async () => {
      const { kubectl, local } = await forwarding(way, (echo.address() as AddressInfo).port);
      const all = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const data = randomBytes(1000 + index * 10_000);
          return data.equals(await sendAndHear(local, data));
        }),
      );
      assert.ok(all.every(Boolean));
      assert.equal(scene.upgrades[0], way.forward);
      // One after another, more than may be open at a time of a session that forgets none.
      for (let index = 0; index < 50; index += 1) assert.equal((await sendAndHear(local, Buffer.from("x"))).length, 1);
      const held = connect(local, "127.0.0.1");
      held.on("error", () => {});
      held.write("y");
      await new Promise((resolve) => held.once("data", resolve));
      kubectl.kill("SIGKILL");
      await kubectl.ended;
      await until("the connections to the port to end", () => open.size === 0 || undefined);
    },
  );

  void test(`${way.name}: a port where nothing listens is told with port and pod`, { timeout: 120_000 }, async () => {
    const { kubectl, local, said } = await forwarding(way, 1);
    assert.equal((await sendAndHear(local, Buffer.from("x")).catch(() => Buffer.alloc(0))).length, 0);
    await until(
      "kubectl to tell",
      () =>
        /error forwarding port 1 to pod talker: dial tcp 127\.0\.0\.1:1: connect: connection refused/.test(said()) ||
        undefined,
    );
    kubectl.kill("SIGKILL");
    await kubectl.ended;
  });

  void test(`${way.name}: a pod that is not on the node is told so`, { timeout: 60_000 }, async () => {
    const kubectl = await place.start(way, ["port-forward", "pod/stranger", ":80"]);
    const stderr = buffer(kubectl.stderr);
    kubectl.stdout.resume();
    assert.notEqual(await kubectl.ended, 0);
    assert.match((await stderr).toString(), /pod "stranger" is not on node/);
  });
}
