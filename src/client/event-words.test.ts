import assert from "node:assert/strict";
import { test } from "node:test";
import { createEventWords } from "./event-words.ts";

test("the tenth message that differs, and all after it, are told as one event with the newest message", () => {
  const words = createEventWords();
  const tell = (count: number, from: number, now: number) =>
    Array.from({ length: count }, (_, index) => words("kind", `pod ${from + index}`, now));
  const single = tell(9, 0, 0);
  assert.deepEqual(
    single.map(({ message }) => message),
    Array.from({ length: 9 }, (_, index) => `pod ${index}`),
  );
  assert.equal(new Set(single.map(({ key }) => key)).size, 9);
  const combined = tell(100, 9, 1000);
  assert.deepEqual([...new Set(combined.map(({ key }) => key))], ["kind"]);
  assert.equal(combined.at(-1)?.message, "(combined from similar events): pod 108");
  assert.equal(words("other", "pod 1", 1000).message, "pod 1", "another kind is told for itself");
  assert.equal(words("kind", "later", 601_001).message, "later", "after ten quiet minutes all begins anew");
});

test("the same message again is the same event", () => {
  const words = createEventWords();
  for (let round = 0; round < 50; round += 1) assert.equal(words("kind", "same", round).message, "same");
});
