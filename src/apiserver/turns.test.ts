import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

void test("work under one key goes one after another, in order, whatever becomes of it", async () => {
  const turns = new Turns();
  const said: string[] = [];
  const first = Promise.withResolvers<void>();
  const works = [
    turns.take("a", async () => {
      said.push("first begins");
      await first.promise;
      said.push("first fails");
      throw new Error("as it should");
    }),
    turns.take("a", async () => {
      said.push("second");
      return 2;
    }),
    turns.take("b", async () => {
      said.push("another key");
    }),
    turns.take("a", async () => {
      said.push("third");
      return 3;
    }),
  ];
  await works[2];
  assert.deepEqual(said, ["first begins", "another key"]);
  first.resolve();
  await assert.rejects(works[0]!, /as it should/);
  assert.deepEqual(await Promise.all(works.slice(1)), [2, undefined, 3]);
  assert.deepEqual(said, ["first begins", "another key", "first fails", "second", "third"]);
});
