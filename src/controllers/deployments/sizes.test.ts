import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaSet } from "../../api/generated/types.ts";
import { rememberSizes } from "./sizes.ts";

const set = (replicas: number, generation: number, observedGeneration: number, present: number): ReplicaSet => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { namespace: "shop", name: "web-1", uid: "rs-1", generation },
  spec: { replicas, selector: {} },
  status: { replicas: present, observedGeneration },
});

test("CTL-124: until its controller has seen the last size, a ReplicaSet may have any of those it was given", () => {
  const sizes = rememberSizes(() => 0);
  assert.deepEqual(sizes.rangeOf(set(10, 1, 1, 10)), { least: 10, most: 10 });
  sizes.resized(set(10, 1, 1, 10));
  assert.deepEqual(sizes.rangeOf(set(4, 2, 1, 10)), { least: 4, most: 10 });
  sizes.resized(set(4, 2, 1, 10));
  assert.deepEqual(sizes.rangeOf(set(8, 3, 1, 2)), { least: 4, most: 10 });
  assert.deepEqual(sizes.rangeOf(set(8, 3, 2, 6)), { least: 4, most: 10 }, "it has seen one of them, but not the last");
  assert.deepEqual(sizes.rangeOf(set(8, 3, 3, 8)), { least: 8, most: 8 });
  assert.deepEqual(sizes.rangeOf(set(8, 3, 3, 9)), { least: 8, most: 9 }, "one could not be deleted");
});

test("CTL-124: after a restart, the pods that are there tell of sizes that are not remembered", () => {
  const sizes = rememberSizes(() => 7);
  assert.deepEqual(sizes.rangeOf(set(0, 5, 4, 3)), { least: 0, most: 7 });
  assert.deepEqual(sizes.rangeOf(set(0, 5, 5, 0)), { least: 0, most: 0 });
});
