import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { choices, spread, testSelection } from "../../../../test/ingress/choosing.ts";
import {
  backendPlan,
  cookieAffinity,
  endpointPlan,
  endpointPlans,
  planOf,
  requestHead,
  routePlan,
  seeded,
} from "../../../../test/ingress/plans.ts";
import type { Balance, EndpointPlan } from "../../plan/plan.ts";

const ALGORITHMS: readonly Balance[] = [
  { algorithm: "round-robin" },
  { algorithm: "least-requests" },
  { algorithm: "ewma" },
  { algorithm: "hash", key: "$request_id" },
];
const route = routePlan("web");
const planWith = (endpoints: readonly EndpointPlan[], balance: Balance) =>
  planOf(backendPlan("web", endpoints, balance));
const numbered = (at: number) => requestHead({ requestId: `request ${at}` });

void test("CTL-167: round robin: of 100 requests each of ten endpoints gets ten, and no two in a row", () => {
  const plan = planWith(endpointPlans(10), { algorithm: "round-robin" });
  const selection = testSelection();
  const order = choices(selection, route, plan, 100);
  deepEqual(
    [...Map.groupBy(order, (key) => key).values()].map(({ length }) => length),
    Array(10).fill(10),
  );
  ok(order.every((key, at) => at === 0 || key !== order[at - 1]));
});

for (const balance of ALGORITHMS) {
  void test(`${balance.algorithm}: every endpoint serves, each about as its weight says, weight 0 not at all`, () => {
    const weights = [100, 100, 300, 50, 0, 450];
    const endpoints = weights.map((weight, at) => endpointPlan(`pod-${at}`, { weight }));
    const counts = spread(testSelection(), route, planWith(endpoints, balance), 20_000, numbered);
    for (const [at, weight] of weights.entries()) {
      const share = (counts.get(`pod-${at}`) ?? 0) / 20_000;
      // What goes by time does not go by weight alone: the better of two is taken.
      const least = balance.algorithm === "ewma" ? 0.5 : 0.9;
      const most = balance.algorithm === "ewma" ? 2 : 1.1;
      const due = weight / 1000;
      ok(share >= due * least && share <= due * most, `weight ${weight}: ${share}`);
    }
  });

  void test(`${balance.algorithm}: draining endpoints get nothing as long as another serves, and all there is then`, () => {
    const going = endpointPlans(3).map((endpoint) => ({ ...endpoint, state: "draining" as const }));
    const staying = endpointPlan("staying");
    const selection = testSelection();
    deepEqual([...spread(selection, route, planWith([...going, staying], balance), 100, numbered)], [["staying", 100]]);
    equal(spread(selection, route, planWith(going, balance), 100, numbered).size, 3);
    deepEqual([...spread(selection, route, planWith([], balance), 1)], [["nobody", 1]]);
    deepEqual(
      [...spread(selection, route, planWith([endpointPlan("shut", { weight: 0 })], balance), 1)],
      [["nobody", 1]],
    );
  });

  void test(`${balance.algorithm}: one that failed is passed over for a second, and asked all the same if it is alone`, () => {
    const plan = planWith(endpointPlans(4), balance);
    const selection = testSelection();
    const failing = selection.choose(route, plan, numbered(0))!;
    failing.done("failed");
    const key = failing.endpoint.key;
    ok(!spread(selection, route, plan, 200, numbered).has(key));
    selection.advance(999);
    ok(!spread(selection, route, plan, 200, numbered).has(key));
    selection.advance(1);
    const after = spread(selection, route, plan, 200, numbered).get(key) ?? 0;
    ok(after > 0 && after <= 100, `${after} of 200 after its absence`);

    const alone = planWith(endpointPlans(1), balance);
    for (let at = 0; at < 3; at++) {
      const choice = selection.choose(route, alone, numbered(at))!;
      choice.done("failed");
      equal(choice.endpoint.key, "pod-0");
    }
  });

  void test(`${balance.algorithm}: a request is tried at each endpoint before it is at one again`, () => {
    const plan = planWith(endpointPlans(5), balance);
    const selection = testSelection();
    for (let round = 0; round < 20; round++) {
      const tried = new Set<string>();
      for (let at = 0; at < 5; at++) {
        const choice = selection.choose(route, plan, numbered(round), { endpoints: tried })!;
        choice.done("failed");
        tried.add(choice.endpoint.key);
      }
      equal(tried.size, 5);
      ok(selection.choose(route, plan, numbered(round), { endpoints: tried }) !== undefined);
    }
  });

  void test(`${balance.algorithm}: a new endpoint gets its share at once and is not overrun`, () => {
    const selection = testSelection();
    spread(selection, route, planWith(endpointPlans(9), balance), 5000, numbered);
    const plan = planWith(endpointPlans(10), balance);
    selection.follow(plan);
    // Requests that nobody has answered yet: the worst for the one that is new.
    const order = choices(selection, route, plan, 100, numbered, "under way");
    const got = order.filter((key) => key === "pod-9").length;
    ok(got >= 2 && got <= 25, `${got} of 100`);
  });
}

void test("least requests: who has more under way gets less", () => {
  const plan = planWith(endpointPlans(4), { algorithm: "least-requests" });
  const selection = testSelection();
  // One answers nothing.
  const counts = new Map<string, number>();
  for (let at = 0; at < 400; at++) {
    const choice = selection.choose(route, plan, requestHead())!;
    const { key } = choice.endpoint;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (key !== "pod-2") choice.done("ended", 0.01);
  }
  ok(counts.get("pod-2")! <= 3, `${counts.get("pod-2")} of 400`);
});

void test("round robin: the turn of a light one comes though all the heavy ones may not be asked", () => {
  const endpoints = [endpointPlan("light", { weight: 1 }), endpointPlan("heavy", { weight: 100_000 })];
  const plan = planWith(endpoints, { algorithm: "round-robin" });
  const selection = testSelection();
  for (let at = 0; at < 10; at++) {
    const choice = selection.choose(route, plan, requestHead(), { endpoints: new Set(["heavy"]) });
    equal(choice?.endpoint.key, "light");
  }
});

void test("EWMA: weights count where latencies are anybody's guess, and so does what is under way", () => {
  const uneven = planWith([endpointPlan("light"), endpointPlan("heavy", { weight: 900 })], { algorithm: "ewma" });
  const selection = testSelection();
  const random = seeded(11);
  let light = 0;
  for (let at = 0; at < 5000; at++) {
    selection.advance(10);
    const choice = selection.choose(route, uneven, requestHead())!;
    if (choice.endpoint.key === "light") light += 1;
    choice.done("ended", 0.01 + 0.01 * random());
  }
  ok(light > 250 && light < 1000, `${light} of 5000`);

  const plan = planWith(endpointPlans(4), { algorithm: "ewma" });
  for (let at = 0; at < 100; at++) {
    const choice = selection.choose(route, plan, requestHead())!;
    choice.done("ended", choice.endpoint.key === "pod-0" ? 0.011 : 0.01);
  }
  const held = choices(selection, route, plan, 400, undefined, "under way");
  for (const [key, { length }] of Object.entries(Object.groupBy(held, (key) => key) as Record<string, string[]>)) {
    ok(length > 60 && length < 140, `${key}: ${length} of 400`);
  }
});

void test("EWMA avoids a slow one, and comes back when it is slow no longer", () => {
  const plan = planWith(endpointPlans(10), { algorithm: "ewma" });
  const selection = testSelection();
  const run = (count: number, slow: number): number => {
    let hits = 0;
    for (let at = 0; at < count; at++) {
      selection.advance(10);
      const choice = selection.choose(route, plan, requestHead())!;
      const isSlow = choice.endpoint.key === "pod-3";
      if (isSlow) hits += 1;
      choice.done("ended", isSlow ? slow : 0.01);
    }
    return hits;
  };
  const avoided = run(2000, 1);
  ok(avoided < 40, `${avoided} of 2000 while it was slow; an even share is 200`);
  run(8000, 0.01);
  const again = run(2000, 0.01);
  ok(again > 100, `${again} of 2000 afterwards`);
});

void test("hash: one key, one endpoint; growth moves what the new one wins and nothing else, loss what it had", () => {
  const KEYS = 10_000;
  const balance: Balance = { algorithm: "hash", key: "$request_id" };
  for (const weights of [[100], [100, 50, 300]]) {
    const of = (count: number) =>
      endpointPlans(count).map((endpoint, at) => ({ ...endpoint, weight: weights[at % weights.length]! }));
    const whole = of(11).reduce((sum, { weight }) => sum + weight, 0);
    const [ten, eleven] = [of(10), of(11)].map((endpoints) =>
      choices(testSelection(), route, planWith(endpoints, balance), KEYS, numbered),
    ) as [string[], string[]];
    deepEqual(
      ten,
      choices(testSelection(99), route, planWith(of(10), balance), KEYS, numbered),
      "the same by chance of its own",
    );
    const moved = ten.filter((key, at) => key !== eleven[at]).length / KEYS;
    const share = of(11)[10]!.weight / whole;
    ok(ten.every((key, at) => key === eleven[at] || eleven[at] === "pod-10"));
    ok(Math.abs(moved - share) < 0.015, `${moved} moved of ${share}`);
  }
});

void test("hash: requests without the key go by turns", () => {
  const plan = planWith(endpointPlans(4), { algorithm: "hash", key: "$cookie_user" });
  deepEqual([...spread(testSelection(), route, plan, 40).values()], [10, 10, 10, 10]);
});

void test("CTL-155: balanced evens new clients out after growth, persistent goes on by balancing; neither overruns the new", () => {
  const share = (mode: "balanced" | "persistent"): number => {
    const own = routePlan("web", { affinity: cookieAffinity({ mode }) });
    const selection = testSelection();
    spread(selection, own, planWith(endpointPlans(3), { algorithm: "round-robin" }), 300);
    const plan = planWith(endpointPlans(4), { algorithm: "round-robin" });
    return spread(selection, own, plan, 100).get("pod-3")!;
  };
  equal(share("persistent"), 25);
  const balanced = share("balanced");
  ok(balanced > 35 && balanced < 60, `${balanced} of 100`);
});

void test("a choice among 1,000 endpoints is as quick as it should be", (t) => {
  const random = seeded(3);
  for (const balance of ALGORITHMS) {
    const plan = planWith(endpointPlans(1000), balance);
    const selection = testSelection();
    const heads = Array.from({ length: 1000 }, (_, at) => numbered(at));
    const began = performance.now();
    const ROUNDS = 20_000;
    for (let at = 0; at < ROUNDS; at++) {
      selection.choose(route, plan, heads[Math.floor(random() * 1000)]!)!.done("ended", 0.01);
    }
    const each = ((performance.now() - began) * 1000) / ROUNDS;
    t.diagnostic(`${balance.algorithm}: ${each.toFixed(2)} µs a choice among 1,000 endpoints`);
    ok(each < 200, `${balance.algorithm}: ${each} µs`);
  }
});
