import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../api/generated/types.ts";
import { at, here, shares, slice, tracker, web } from "../../../test/proxy/plan-examples.ts";

/** A Service with a slow start of 90 s, so of 10 s a step, planned by a clock that is set by hand. */
function scene(duration = "90s") {
  const clock = { now: 900_000 };
  const one = tracker({ now: () => clock.now });
  const annotate = (text: string | undefined): void =>
    one.setService(
      "default/web",
      web({}, text === undefined ? {} : { annotations: { "fairlead.dev/slow-start": text } }),
    );
  annotate(duration);
  return {
    clock,
    one,
    annotate,
    show: (...endpoints: Endpoint[]): string => {
      one.setSlice("default/web-1", slice(endpoints));
      one.replan();
      return shares(one.plans.get("default/web")?.ports[0]?.cluster);
    },
    after: (milliseconds: number): string => {
      clock.now += milliseconds;
      one.replan();
      return shares(one.plans.get("default/web")?.ports[0]?.cluster);
    },
  };
}

test("who is there when the Service is first looked at has its share; who comes later begins with a tenth", () => {
  const { show, one } = scene();
  equal(show(here(1), here(2)), "1×1 2×1");
  equal(one.dueAt, undefined);
  equal(show(here(1), here(2), here(3)), "1×10 2×10 3×1");
  equal(one.dueAt, 910_000);
});

test("a share grows by nine steps to the whole, and each is planned once", () => {
  const { show, one, clock } = scene();
  show(here(1));
  show(here(1), here(2));
  const found: string[] = [];
  for (let at = one.dueAt; at !== undefined; at = one.dueAt) {
    clock.now = at - 1;
    equal(one.replan().size, 0, "nothing before it is due");
    clock.now = at;
    equal(one.replan().size, 1);
    found.push(shares(one.plans.get("default/web")?.ports[0]?.cluster));
  }
  deepEqual(found, [
    "1×5 2×1",
    "1×10 2×3",
    "1×5 2×2",
    "1×2 2×1",
    "1×5 2×3",
    "1×10 2×7",
    "1×5 2×4",
    "1×10 2×9",
    "1×1 2×1",
  ]);
  equal(clock.now, 990_000, "after the whole time and no sooner");
});

test("endpoints that come one after the other step together", () => {
  const { show, one, clock } = scene();
  const endpoints = [here(1)];
  show(...endpoints);
  for (let number = 2; number < 60; number += 1) {
    endpoints.push(here(number));
    clock.now += 100;
    show(...endpoints);
  }
  let replans = 0;
  for (let at = one.dueAt; at !== undefined; at = one.dueAt) {
    clock.now = at;
    one.replan();
    replans += 1;
  }
  ok(replans <= 10, `${replans} replans for 58 new endpoints`);
  ok(clock.now >= 995_000 && clock.now <= 1_010_000, `all have their share at ${clock.now}`);
});

test("one that was unready begins anew, and so does another pod at the address of one that went", () => {
  const { show, after } = scene();
  equal(show(here(1), here(2)), "1×1 2×1");
  show(here(1), here(2, "unready"));
  equal(show(here(1), here(2)), "1×10 2×1");
  equal(after(100_000), "1×1 2×1");
  const named = (uid: string): Endpoint => ({ ...at(2), targetRef: { uid } });
  show(here(1), named("a"));
  equal(after(100_000), "1×1 2×1");
  equal(show(here(1), named("a")), "1×1 2×1");
  equal(show(here(1), named("b")), "1×10 2×1");
});

test("a weight ramps to itself", () => {
  const { one, after } = scene();
  const weighed = (endpoints: Endpoint[]) => {
    const annotations = { "fairlead.dev/endpoints": '{"10.244.0.2":{"weight":"50"}}' };
    const labels = { "kubernetes.io/service-name": "web" };
    const metadata = { name: "web-1", namespace: "default", labels, annotations };
    one.setSlice("default/web-1", slice(endpoints, "web-1", { metadata }));
  };
  weighed([at(1)]);
  equal(after(0), "1×1");
  weighed([at(1), at(2)]);
  equal(after(0), "1×20 2×1");
  equal(after(90_000), "1×2 2×1");
});

test("a slow start that is asked for later, or no more, lets those be that are there", () => {
  const { show, after, annotate } = scene("0s");
  show(here(1));
  equal(show(here(1), here(2)), "1×1 2×1");
  annotate("90s");
  equal(after(0), "1×1 2×1");
  equal(show(here(1), here(2), here(3)), "1×10 2×10 3×1");
  annotate(undefined);
  equal(after(0), "1×1 2×1 3×1");
});

test("a clock that is put back keeps nobody waiting", () => {
  const { show, after } = scene();
  show(here(1));
  show(here(1), here(2));
  equal(after(-500_000), "1×10 2×1");
  equal(after(90_000), "1×1 2×1");
});

test("a Service that is gone is forgotten", () => {
  const { show, one, annotate } = scene();
  show(here(1));
  show(here(1), here(2));
  one.setService("default/web", undefined);
  one.replan();
  equal(one.dueAt, undefined);
  annotate("90s");
  one.replan();
  equal(shares(one.plans.get("default/web")?.ports[0]?.cluster), "1×1 2×1");
});

for (const text of ["soon", "-1s", "25h", "30"]) {
  test(`slow-start ${text} is told, and nobody starts slowly`, () => {
    const { show, one } = scene(text);
    show(here(1));
    equal(show(here(1), here(2)), "1×1 2×1");
    equal(one.plans.get("default/web")?.complaints.length, 1);
  });
}
