import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import { pod } from "../../../test/controllers/examples.ts";
import { countLoads } from "./load.ts";

const on = (nodeName: string | undefined, phase = "Running"): Pod => pod("a", { phase, spec: { nodeName } });

function trial(...held: Pod[]) {
  let tell: (change: CacheChange<Pod>) => void = () => {};
  const cache = {
    values: () => held.values(),
    onChange: (listener: typeof tell) => {
      tell = listener;
      return () => {};
    },
  } as unknown as Cache<Pod>;
  return { counts: countLoads(cache), tell: (change: CacheChange<Pod>) => tell(change) };
}

test("a pod counts where it is until it has ended or gone", () => {
  const { counts, tell } = trial(
    pod("b", { spec: { nodeName: "n" } }),
    pod("c", { phase: "Failed", spec: { nodeName: "n" } }),
  );
  assert.equal(counts.on("n").pods, 1);
  tell({ type: "added", object: on("n") });
  assert.equal(counts.on("n").pods, 2);
  tell({ type: "changed", previous: on("n"), object: on("n", "Succeeded") });
  assert.equal(counts.on("n").pods, 1);
  tell({ type: "removed", previous: on("n", "Succeeded") });
  assert.equal(counts.on("n").pods, 1);
});

test("a pod being bound counts at once, and only once when the cache shows it", () => {
  const { counts, tell } = trial();
  counts.assume(on(undefined), "n");
  assert.equal(counts.on("n").pods, 1);
  tell({ type: "changed", previous: on(undefined), object: on(undefined, "Pending") });
  assert.equal(counts.on("n").pods, 1);
  tell({ type: "changed", previous: on(undefined), object: on("n") });
  assert.equal(counts.on("n").pods, 1);
});

test("a pod whose binding failed, or that went before it was seen bound, counts no more", () => {
  const { counts, tell } = trial();
  counts.assume(on(undefined), "n");
  counts.takeBack(on(undefined));
  assert.equal(counts.on("n").pods, 0);
  counts.assume(on(undefined), "n");
  tell({ type: "removed", previous: on(undefined) });
  assert.equal(counts.on("n").pods, 0);
});
