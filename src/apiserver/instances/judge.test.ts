import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeLeases, type FoundLease, type SeenLeases } from "./judge.ts";

const lease = (ip: string, modRevision = 1): FoundLease => ({ ip, modRevision });

/** Looks at these leases one after the other. */
function looks(...all: [FoundLease[], counts?: boolean][]) {
  let seen: SeenLeases = new Map();
  return all.map(([found, counts = true]) => {
    const verdict = judgeLeases("me", found, seen, counts);
    ({ seen } = verdict);
    return [verdict.living.join(), verdict.expired.map(({ ip }) => ip).join()];
  });
}

void test("SVC-282: a lease lives while it is renewed, and 15 s (three looks) after it was last seen to be", () => {
  const still: [FoundLease[]] = [[lease("me"), lease("other")]];
  assert.deepEqual(looks(still, still, still, still), [
    ["me,other", ""],
    ["me,other", ""],
    ["me,other", ""],
    ["me", "other"],
  ]);
  const renewed = [1, 1, 2, 2, 3, 3].map((at): [FoundLease[]] => [[lease("me"), lease("other", at)]]);
  for (const [living, expired] of looks(...renewed)) assert.deepEqual([living, expired], ["me,other", ""]);
});

void test("SVC-282: looks out of turn find who came and who left, and age nobody", () => {
  const both: [FoundLease[], boolean] = [[lease("me"), lease("other")], false];
  assert.deepEqual(looks(both, both, both, both, both).at(-1), ["me,other", ""]);
  assert.deepEqual(looks(both, [[lease("me")], false]), [
    ["me,other", ""],
    ["me", ""],
  ]);
});

void test("SVC-282: who looks lives, whatever became of its own lease", () => {
  const mine: [FoundLease[]] = [[lease("me")]];
  assert.deepEqual(looks(mine, mine, mine, mine, mine).at(-1), ["me", ""]);
  assert.deepEqual(looks([[]]), [["me", ""]]);
});
