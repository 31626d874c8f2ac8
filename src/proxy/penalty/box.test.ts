import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { PATIENCE, PenaltyBox } from "./box.ts";

const nobody = (): boolean => false;
/** A box whose endpoint `a` was penalized at 1000. */
function penalizedBox(): PenaltyBox {
  const box = new PenaltyBox();
  box.opened("a", "1", 1000 - PATIENCE);
  deepEqual(box.decide(1000, nobody).ask, ["a"]);
  equal(box.heard("a", false, 1000), "penalized");
  return box;
}

test("an endpoint that neither answers a client nor us is penalized, and asked again after 1, 2, 4 … 30 seconds", () => {
  const box = penalizedBox();
  const tries: number[] = [];
  for (let now = 1000; now <= 130_000; now += 500) {
    if (box.decide(now, nobody).ask.length === 0) continue;
    tries.push(now - 1000);
    equal(box.heard("a", false, now), undefined);
  }
  deepEqual(tries, [1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000, 121_000]);
  equal(box.given, 1);
});

test("a penalty ends with the first answer, and after five minutes without", () => {
  const box = penalizedBox();
  deepEqual(box.decide(2000, nobody).ask, ["a"]);
  equal(box.heard("a", true, 2000), "released");
  equal(box.penalized.size, 0);
  deepEqual(penalizedBox().decide(301_000, nobody), { ask: [], released: ["a"] });
});

test("one client's lost packet is no reason: the endpoint answers us, and is left alone for a second", () => {
  const box = new PenaltyBox();
  box.opened("a", "1", 0);
  deepEqual(box.decide(PATIENCE - 1, nobody).ask, []);
  deepEqual(box.decide(PATIENCE, nobody).ask, ["a"]);
  deepEqual(box.decide(PATIENCE + 1, nobody).ask, [], "it is being asked");
  equal(box.heard("a", true, 300), undefined);
  box.opened("a", "2", 310);
  deepEqual(box.decide(1299, nobody).ask, []);
  deepEqual(box.decide(1300, nobody).ask, ["a"]);
});

test("an endpoint that answers others while some wait is busy, not broken", () => {
  const box = new PenaltyBox();
  for (let at = 0; at < 10_000; at += 50) {
    box.opened("a", `lost ${at}`, at);
    if (at % 200 === 0) box.answered("a");
    deepEqual(box.decide(at, nobody), { ask: [], released: [] });
  }
});

test("an answer while we ask, and an endpoint that is taken away meanwhile, are no penalty", () => {
  const box = new PenaltyBox();
  box.opened("a", "1", 0);
  box.opened("b", "1", 0);
  deepEqual(box.decide(PATIENCE, nobody).ask, ["a", "b"]);
  box.answered("a");
  box.gone("b");
  equal(box.heard("a", false, 500), undefined);
  equal(box.heard("b", false, 500), undefined);
  equal(box.penalized.size, 0);
});

test("the last one standing is not even asked", () => {
  const box = new PenaltyBox();
  box.opened("a", "1", 0);
  deepEqual(box.decide(5000, () => true).ask, []);
});

test("after lost events nobody is in doubt", () => {
  const box = new PenaltyBox();
  box.opened("a", "1", 0);
  box.lost();
  deepEqual(box.decide(5000, nobody).ask, []);
});

type Word = { readonly kind: "opened" | "answered" | "took" | "silent" | "look"; readonly wait: number };
const words = fc.array(
  fc.record({
    kind: fc.constantFrom<Word["kind"]>("opened", "answered", "took", "silent", "look"),
    wait: fc.integer({ min: 0, max: 700 }),
  }),
  { maxLength: 60 },
);

test("whatever happens, a penalty begins only with a question that had no answer, and nobody is asked twice at a time", () => {
  fc.assert(
    fc.property(words, (sequence) => {
      const box = new PenaltyBox();
      let now = 0;
      let asked = false;
      for (const { kind, wait } of sequence) {
        now += wait;
        const before = box.penalized.has("a");
        if (kind === "opened") box.opened("a", String(now), now);
        else if (kind === "answered") box.answered("a");
        else if (kind === "look") {
          const { ask } = box.decide(now, nobody);
          equal(asked && ask.length > 0, false, "asked while it is being asked");
          asked ||= ask.length > 0;
        } else {
          const verdict = box.heard("a", kind === "took", now);
          if (verdict !== undefined) equal(asked, true);
          if (verdict === "penalized") equal(kind, "silent");
          asked = false;
        }
        if (!before && box.penalized.has("a")) equal(kind, "silent");
      }
    }),
  );
});
