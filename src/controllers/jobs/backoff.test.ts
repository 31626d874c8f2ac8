import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import { NO_FAILURES, waitAfter, withEnded } from "./backoff.ts";

const endedAt = (second: number): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {},
  status: {
    containerStatuses: [
      {
        name: "c",
        image: "i",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode: 1, finishedAt: new Date(second * 1000).toISOString() } },
      },
    ],
  },
});

test("the wait doubles from 10 s to 10 minutes, counted from the last failure", () => {
  const waits = [0, 1, 2, 3, 6, 7, 100].map((count) => waitAfter({ count, last: 1000 }, 1000));
  assert.deepEqual(waits, [0, 10_000, 20_000, 40_000, 320_000, 600_000, 600_000]);
  assert.equal(waitAfter({ count: 1, last: 1000 }, 7000), 4000);
  assert.equal(waitAfter({ count: 1, last: 1000 }, 99_000), 0);
});

test("a success forgets the failures before it, and not those after", () => {
  const two = withEnded(NO_FAILURES, [], [endedAt(10), endedAt(20)]);
  assert.deepEqual(two, { count: 2, last: 20_000 });
  assert.deepEqual(withEnded(two, [], []), two);
  assert.deepEqual(withEnded(two, [endedAt(30)], []), NO_FAILURES);
  assert.deepEqual(withEnded(two, [endedAt(30)], [endedAt(25), endedAt(35)]), { count: 1, last: 35_000 });
});
