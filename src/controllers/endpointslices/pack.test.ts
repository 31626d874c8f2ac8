import assert from "node:assert/strict";
import { test } from "node:test";
import { pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide, fresh, many, only, sizes } from "../../../test/controllers/slices.ts";

test("CTL-036: at most 100 endpoints a slice", () => {
  assert.deepEqual(sizes(fresh({ pods: many(250) })), [100, 100, 50]);
});

for (const most of [1, 7, 1000]) {
  test(`CTL-036: at most ${most} endpoints a slice, when that is asked for`, () => {
    const all = sizes(fresh({ pods: many(2100), most })).map(Number);
    assert.deepEqual([Math.max(...all), all.length], [most, Math.ceil(2100 / most)]);
  });
}

test("CTL-046: of several slices that are written anyway, the fullest is filled first; nothing moves to even them out", () => {
  const all = many(250);
  const pods = [...all.slice(0, 60), ...all.slice(100, 190), ...all.slice(200)];
  const held = applied([], decide({ pods: all }));
  const before = applied(held, decide({ pods, existing: held }));
  assert.deepEqual(sizes(before), [60, 90, 50]);
  const gone = pods.filter(({ metadata }) => metadata.name !== "p0" && metadata.name !== "p100");
  const { update } = decide({ pods: [...gone, ...many(20, 300)], existing: before });
  assert.deepEqual(
    update.map(({ metadata, endpoints }) => [metadata.name, endpoints?.length]),
    [
      [before[0]?.metadata.name, 68],
      [before[1]?.metadata.name, 100],
    ],
  );
});

test("CTL-046: a slice whose labels are written anyway takes new pods before an untouched one is looked for", () => {
  const pods = many(150);
  const existing = applied([], decide({ pods }));
  const { update, create } = decide({
    service: service({}, { labels: { team: "y" } }),
    pods: [...pods, ...many(1, 300)],
    existing,
  });
  assert.deepEqual([sizes(update), create.length], [[100, 51], 0]);
});

test("CTL-047: an emptied slice goes when its pods' successors fit elsewhere, and becomes theirs when they do not", () => {
  const all = many(101);
  const existing = applied([], decide({ pods: all }));
  const fits = decide({ pods: [...all.slice(0, 50), ...many(1, 300)], existing });
  assert.deepEqual([sizes(fits.update), sizes(fits.delete), fits.create.length], [[51], [1], 0]);
  const half = applied(existing, decide({ pods: [...all.slice(0, 50), all[100]!], existing }));
  const untouched = decide({ pods: [...all.slice(0, 50), ...many(1, 300)], existing: half });
  assert.deepEqual(
    [sizes(untouched.update), sizes(untouched.delete)],
    [[51], [1]],
    "also into a slice that was not touched",
  );
  const full = decide({ pods: [...all.slice(0, 100), ...many(1, 300)], existing });
  assert.deepEqual([only(full.update).metadata.name, full.delete, full.create], [existing[1]?.metadata.name, [], []]);
});

test("CTL-046: a new pod goes to the slice that is written anyway; else to the untouched one it fits best; else to a new one", () => {
  const pods = many(250);
  const existing = applied([], decide({ pods }));
  const elsewhere = pods.with(3, pod("p3", { ready: false, ips: ["10.1.0.3"] })).filter((_, index) => index !== 5);
  const touched = decide({ pods: [...elsewhere, ...many(1, 300)], existing });
  assert.deepEqual(only(touched.update).metadata.name, existing[0]?.metadata.name);
  const fitting = decide({ pods: [...pods, ...many(50, 300)], existing });
  assert.deepEqual([only(fitting.update).metadata.name, fitting.create.length], [existing[2]?.metadata.name, 0]);
  const tooMany = decide({ pods: [...pods, ...many(51, 300)], existing });
  assert.deepEqual([tooMany.update.length, sizes(tooMany.create)], [0, [51]]);
});

test("CTL-046: of several untouched slices with room, the fullest that fits is taken", () => {
  const all = many(250);
  const pods = [...all.slice(0, 110), ...all.slice(200)];
  const before = applied([], decide({ pods: all }));
  const held = applied(before, decide({ pods, existing: before }));
  assert.deepEqual(sizes(held), [100, 10, 50]);
  const { update } = decide({ pods: [...pods, ...many(20, 300)], existing: held });
  assert.equal(only(update).metadata.name, held[2]?.metadata.name);
});

test("a change of one pod among 10,000 writes one slice", () => {
  const pods = many(10_000);
  const existing = applied([], decide({ pods }));
  assert.equal(existing.length, 100);
  const {
    update,
    create,
    delete: removed,
  } = decide({ pods: pods.with(5000, pod("p5000", { ready: false, ips: ["10.1.19.136"] })), existing });
  assert.deepEqual([update.length, create.length, removed.length], [1, 0, 0]);
});
