import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../api/status.ts";
import { waitingOutConflicts } from "./conflicts.ts";

test("a conflict is waited out, and every other failure is one", async () => {
  const later: [string, number][] = [];
  const fails = (error: Error) =>
    waitingOutConflicts(
      async () => {
        throw error;
      },
      (key, milliseconds) => later.push([key, milliseconds]),
    );
  const { signal } = new AbortController();
  await fails(new ApiError("Conflict", "modified"))("a", signal);
  assert.deepEqual(later, [["a", 1000]]);
  await assert.rejects(fails(new ApiError("AlreadyExists", "there"))("b", signal), /there/);
  await assert.rejects(fails(new Error("reset"))("c", signal), /reset/);
  assert.equal(later.length, 1);
});
