import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import type { CarriedTarget } from "./carried.ts";
import { dial, type Dialed } from "./dial.ts";

/** What a target does when it is called. */
type Manner = "answers" | "refuses" | "is silent";

/** Dials targets of these manners in order; answers who was asked, who was told to have failed, and who answered. */
async function dialing(
  ...manners: Manner[]
): Promise<{ asked: number[]; failed: number[]; dialed: Dialed | undefined }> {
  const targets: CarriedTarget[] = manners.map((_, at) => ({ ip: "10.0.0.1", port: at + 1, weight: 1 }));
  const asked: number[] = [];
  const failed: number[] = [];
  const dialed = await dial({
    port: undefined,
    next: (tried) => targets.find((target) => !tried.has(target)),
    failed: ({ port }) => void failed.push(port),
    open: (_, port) => {
      asked.push(port);
      const socket = new Socket();
      const manner = manners[port - 1];
      if (manner === "answers") process.nextTick(() => socket.emit("connect"));
      if (manner === "refuses") process.nextTick(() => socket.emit("error", new Error("refused")));
      return socket;
    },
  });
  return { asked, failed, dialed };
}

void test("dial: a refusal is answered by the next at once, and all that refuse are asked once", async () => {
  const some = await dialing("refuses", "refuses", "answers");
  assert.deepEqual([some.asked, some.failed, some.dialed?.target.port], [[1, 2, 3], [1, 2], 3]);
  const none = await dialing("refuses", "refuses");
  assert.deepEqual([none.asked, none.dialed], [[1, 2], undefined]);
});

void test("PRX-149, PRX-194: dial: who is silent costs 250 ms, and is asked again only when all have been", async () => {
  const began = performance.now();
  const { asked, dialed } = await dialing("is silent", "answers");
  assert.ok(performance.now() - began >= 249);
  assert.deepEqual([asked, dialed?.target.port], [[1, 2], 2]);
  const two = await dialing("is silent", "refuses");
  assert.equal(two.dialed, undefined);
  assert.deepEqual(
    two.asked,
    [1, 2, 1, 1, 2, 1],
    "four silences of 250 ms, 500 ms, 1 s and 2 s, nobody twice in one round",
  );
});

void test("dial: no targets at all are nobody", async () => {
  assert.deepEqual(await dialing(), { asked: [], failed: [], dialed: undefined });
});
