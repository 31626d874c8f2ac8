import { ok } from "node:assert/strict";
import { test } from "node:test";
import { testSelection } from "../../../test/ingress/choosing.ts";
import {
  backendPlan,
  cookieAffinity,
  endpointPlans,
  planOf,
  routePlan,
  withCookie,
} from "../../../test/ingress/plans.ts";

const median = (times: number[]): number => times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)]!;

void test("a change among 5,000 backends, or among 1,000 endpoints, costs a few milliseconds once", (t) => {
  const backends = Array.from({ length: 5000 }, (_, at) => backendPlan(`web-${at}`, endpointPlans(2, at * 2)));
  const routes = backends.map(({ id }) => routePlan(id, { affinity: cookieAffinity() }));
  const selection = testSelection();
  let plan = planOf(...backends);
  for (const route of routes) selection.choose(route, plan, withCookie(undefined))!.done("ended");
  const among5000 = Array.from({ length: 21 }, (_, at) => {
    backends[7] = backendPlan("web-7", endpointPlans(2 + (at % 3)));
    plan = planOf(...backends);
    const began = performance.now();
    selection.follow(plan);
    selection.choose(routes[7]!, plan, withCookie(undefined))!.done("ended");
    return performance.now() - began;
  });
  const route = routePlan("web", { affinity: cookieAffinity() });
  const among1000 = Array.from({ length: 21 }, (_, at) => {
    const large = planOf(backendPlan("web", endpointPlans(1000, at)));
    const began = performance.now();
    selection.follow(large);
    selection.choose(route, large, withCookie(undefined))!.done("ended");
    return performance.now() - began;
  });
  t.diagnostic(`5,000 backends, one changes: ${median(among5000).toFixed(2)} ms until the next choice`);
  t.diagnostic(`1,000 endpoints, one changes: ${median(among1000).toFixed(2)} ms until the next choice`);
  ok(median(among5000) < 100);
  ok(median(among1000) < 100);
});
