import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Running } from "../../../src/host/host.ts";
import { kubectlPlace, ways, type KubectlPlace } from "./kubectl-ways.ts";
import { clusterScene } from "./scene.ts";

let scene: Awaited<ReturnType<typeof clusterScene>>;
let place: KubectlPlace;
before(async () => {
  scene = await clusterScene();
  place = kubectlPlace(scene);
});
after(async () => {
  await scene.close();
  place.remove();
});

/** Waits for an effect; one that never comes fails by the deadline. */
async function until(wanted: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!wanted()) {
    if (Date.now() > deadline) throw new Error(`did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

if (ways.length === 0)
  void test("kubectl against the node endpoint", { skip: "there is no kubectl in PATH" }, () => {});

for (const way of ways) {
  const { name, upgrade } = way;
  const start = (args: readonly string[]): Promise<Running> => place.start(way, args);
  const run = async (args: readonly string[], input?: Buffer) => {
    const running = await start(args);
    running.stdin.end(input);
    const [stdout, stderr, code] = await Promise.all([buffer(running.stdout), buffer(running.stderr), running.ended]);
    return { stdout, stderr: stderr.toString(), code };
  };

  void test(`${name}: exec tells output, errors and exit codes apart`, { timeout: 60_000 }, async () => {
    const script = "echo out; echo err >&2; exit 7";
    const { stdout, stderr, code } = await run(["exec", "talker", "--", "sh", "-c", script]);
    assert.deepEqual([stdout.toString(), code], ["out\n", 7]);
    assert.match(stderr, /^err\n/);
    assert.equal(scene.upgrades[0], upgrade);
    assert.equal((await run(["exec", "talker", "--", "true"])).code, 0);
  });

  void test(`${name}: exec carries a megabyte there and back whole`, { timeout: 60_000 }, async () => {
    const megabyte = randomBytes(1024 * 1024);
    const { stdout, stderr, code } = await run(["exec", "-i", "talker", "--", "cat"], megabyte);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.equals(megabyte), `${stdout.length} bytes came back`);
    const unread = await run(["exec", "-i", "talker", "--", "sh", "-c", "exit 5"], megabyte);
    assert.equal(unread.code, 5, "a command that reads nothing ends all the same");
  });

  void test(`${name}: what the node refuses is told in its words`, { timeout: 60_000 }, async () => {
    const stranger = await run(["exec", "stranger", "--", "true"]);
    assert.match(stranger.stderr, /pod "stranger" is not on node/);
    assert.equal(stranger.code, 1);
    assert.match((await run(["logs", "stranger"])).stderr, /pod "stranger" is not on node/);
  });

  void test(`${name}: a client that goes takes its command with it`, { timeout: 60_000 }, async () => {
    const running = await start(["exec", "-i", "talker", "--", "sleep", "600"]);
    await until(() => scene.source.running.size === 1, "the command's start");
    running.kill("SIGKILL");
    await running.ended;
    await until(() => scene.source.running.size === 0, "the command's end");
  });

  void test(`${name}: so does one whose input is not read`, { timeout: 60_000 }, async (context) => {
    const running = await start(["exec", "-i", "talker", "--", "sleep", "600"]);
    running.stdin.write(Buffer.alloc(64 * 1024 * 1024));
    // An assertion that fails must not leave the client behind.
    context.after(() => running.kill("SIGKILL"));
    await until(() => scene.source.running.size === 1, "the command's start");
    // Full when what kubectl still has to read does not become less.
    for (let before = -1; before !== running.stdin.writableLength;) {
      before = running.stdin.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    running.kill("SIGKILL");
    await running.ended;
    await until(() => scene.source.running.size === 0, "the command's end");
  });

  void test(`${name}: logs, and logs -f as they come`, { timeout: 60_000 }, async (context) => {
    const once = await run(["logs", "talker", "--tail=5"]);
    assert.deepEqual([once.stdout.toString(), scene.source.asked[0]?.options.tailLines], ["first\nsecond\n", 5]);

    const { said } = scene.source;
    context.after(() => {
      scene.source.said = said;
    });
    let goOn = (): void => {};
    scene.source.said = async function* slowly() {
      yield Buffer.from("now\n");
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      yield Buffer.from("later\n");
    };
    const running = await start(["logs", "-f", "talker"]);
    let seen = "";
    running.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    await until(() => seen === "now\n", "the first line");
    goOn();
    assert.equal(await running.ended, 0);
    assert.equal(seen, "now\nlater\n");
  });
}
