import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { TerminalProgram } from "../../../src/host/terminal.ts";
import { until } from "../../lab/until.ts";
import { kubectlPlace, promised, type KubectlPlace } from "./kubectl-ways.ts";
import { clusterScene, type ClusterScene } from "./scene.ts";

let scene: ClusterScene;
let place: KubectlPlace;
before(async () => {
  scene = await clusterScene();
  place = kubectlPlace(scene);
});
after(async () => {
  await scene.close();
  place.remove();
});

if (promised.length === 0) {
  void test(
    "terminals with kubectl 1.20 and 1.32",
    { skip: "neither is in PATH, nor Debian's in the checkout" },
    () => {},
  );
}

function screen(program: TerminalProgram): { text: string; shows(words: RegExp): Promise<void> } {
  const seen = {
    text: "",
    shows: async (words: RegExp) => {
      await until(`${words}`, () => words.test(seen.text) || undefined).catch((cause: unknown) => {
        throw new Error(`${words} is not on the screen: ${JSON.stringify(seen.text)}`, { cause });
      });
    },
  };
  program.shown.on("data", (chunk: Buffer) => (seen.text += chunk.toString()));
  return seen;
}

for (const way of promised) {
  const { name } = way;

  void test(`${name}: exec -it has the window's size and its changes, Ctrl-C, and brings the exit code back`, async (context) => {
    const kubectl = await place.onTerminal(way, ["exec", "-it", "talker", "--", "bash", "--norc", "-i"], [101, 31]);
    context.after(() => kubectl.hangUp());
    const seen = screen(kubectl);
    // A shell that has not set up its line yet may drop what is typed.
    await seen.shows(/\$ /);
    kubectl.typed.write("stty size; tty\r");
    await seen.shows(/31 101\r\n\/dev\/pts\/\d+\r\n/);
    kubectl.resize(77, 22);
    await until("the new size", async () => {
      kubectl.typed.write("stty size\r");
      await new Promise((resolve) => setTimeout(resolve, 200));
      return /22 77\r\n/.test(seen.text) || undefined;
    });
    // The shell's own reading of Ctrl-C while it starts something is another matter.
    kubectl.typed.write(`exec sh -c 'trap "echo caught; exit 7" INT; echo set $$; while :; do sleep 0.05; done'\r`);
    await seen.shows(/set \d+\r\n/);
    kubectl.typed.write("\x03");
    await seen.shows(/caught\r\n/);
    assert.equal(await kubectl.ended, 7);
    assert.equal(scene.upgrades[0], way.upgrade);
    await until("the command's end", () => scene.source.running.size === 0 || undefined);
  });

  void test(`${name}: a terminal whose window is closed ends its command`, async () => {
    const kubectl = await place.onTerminal(way, ["exec", "-it", "talker", "--", "sleep", "600"]);
    kubectl.shown.resume();
    await until("the command's start", () => scene.source.running.size === 1 || undefined);
    kubectl.hangUp();
    await kubectl.ended;
    await until("the command's end", () => scene.source.running.size === 0 || undefined);
  });

  void test(`${name}: attach -i joins the container's program and ends with it, whatever its exit code`, async () => {
    const kubectl = await place.start(way, ["attach", "-i", "talker"]);
    const stdout = buffer(kubectl.stdout);
    kubectl.stderr.resume();
    kubectl.stdin.write("hello\n");
    assert.equal(await kubectl.ended, 0);
    assert.equal((await stdout).toString(), "heard hello\n");
    assert.equal(scene.upgrades[0], way.upgrade);
  });
}
