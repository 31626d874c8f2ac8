import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { cookieOf, spread, testSelection } from "../../../test/ingress/choosing.ts";
import {
  backendPlan,
  canaryPlan,
  cookieAffinity,
  cookieKeys,
  endpointPlan,
  endpointPlans,
  planOf,
  requestHead,
  routePlan,
  withCookie,
} from "../../../test/ingress/plans.ts";
import { tokensOf } from "../affinity/token.ts";
import type { CookieAffinity, EndpointPlan, RoutePlan } from "../plan/plan.ts";
import type { Choice } from "./selection.ts";

const withAffinity = (also: Partial<CookieAffinity> = {}, route: Partial<RoutePlan> = {}): RoutePlan =>
  routePlan("web", { affinity: cookieAffinity(also), ...route });
const sticky = withAffinity();
const planWith = (endpoints: readonly EndpointPlan[]) => planOf(backendPlan("web", endpoints));
const three = planWith(endpointPlans(3));
const token = (key: string): string => `INGRESSCOOKIE=${endpointPlan(key).tokens[0]}`;
const outcome = (choice: Choice | undefined) => [choice?.endpoint.key, cookieOf(choice)];

void test("CTL-163: a client without a cookie gets one, and with it the same endpoint and no new one", () => {
  const selection = testSelection();
  for (let client = 0; client < 30; client++) {
    const first = selection.choose(sticky, three, requestHead())!;
    match(first.setCookie!, /^INGRESSCOOKIE=[A-Za-z0-9_-]{22}; Path=\/; HttpOnly$/);
    equal(cookieOf(first), token(first.endpoint.key));
    for (let at = 0; at < 5; at++) {
      deepEqual(outcome(selection.choose(sticky, three, withCookie(cookieOf(first)))), [first.endpoint.key, undefined]);
    }
  }
});

const foreign: readonly (readonly [string, string])[] = [
  ["an unknown token", `INGRESSCOOKIE=${"A".repeat(22)}`],
  ["a token of a key that nobody has", `INGRESSCOOKIE=${tokensOf(cookieKeys(9))("pod-0")[0]}`],
  ["another backend's token", token("pod-of-another")],
  ["an empty one", "INGRESSCOOKIE="],
  ["8 kB", `INGRESSCOOKIE=${"x".repeat(8192)}`],
  ["an address", "INGRESSCOOKIE=10.0.0.1:8080"],
  ["ingress-nginx's", "INGRESSCOOKIE=1700000000.123.45.678901|0a4d55a8d778e5022fab701977c5d840"],
  ["words of JavaScript", "INGRESSCOOKIE=__proto__"],
  ["a token in another case", token("pod-0").toUpperCase()],
  ["a token with more after it", `${token("pod-0")}.`],
];
for (const [what, cookie] of foreign) {
  void test(`CTL-164: ${what} is as no cookie: a new choice and a new cookie`, () => {
    const selection = testSelection();
    const choice = selection.choose(sticky, three, withCookie(cookie))!;
    equal(cookieOf(choice), token(choice.endpoint.key));
    equal(spread(selection, sticky, three, 30, () => withCookie(cookie)).size, 3);
  });
}

void test("CTL-164: of several cookies of the name the first that is known counts", () => {
  const cookie = `INGRESSCOOKIE=stale; ${token("pod-2")}; a=b; ${token("pod-1")}`;
  deepEqual(outcome(testSelection().choose(sticky, three, withCookie(cookie))), ["pod-2", undefined]);
});

void test("CTL-166: when the endpoint is gone a new one is chosen and said, when one is added nothing changes", () => {
  for (const mode of ["balanced", "persistent"] as const) {
    const route = withAffinity({ mode });
    const selection = testSelection();
    const grown = planWith(endpointPlans(10));
    selection.follow(grown);
    deepEqual(outcome(selection.choose(route, grown, withCookie(token("pod-1")))), ["pod-1", undefined]);
    const shrunk = planWith(endpointPlans(1));
    selection.follow(shrunk);
    deepEqual(outcome(selection.choose(route, shrunk, withCookie(token("pod-1")))), ["pod-0", token("pod-0")]);
  }
});

void test("CTL-166: an address that another pod has now is nobody's session", () => {
  const before = endpointPlan("pod-a", { address: "10.0.0.7" });
  const after = planWith([endpointPlan("pod-b", { address: "10.0.0.7" }), endpointPlan("pod-c")]);
  const choice = testSelection().choose(sticky, after, withCookie(`INGRESSCOOKIE=${before.tokens[0]}`))!;
  notEqual(choice.setCookie, undefined);
});

void test("CTL-167: an endpoint that drains, or has weight 0, keeps its sessions and gets no new ones", () => {
  const plan = planWith([
    endpointPlan("going", { state: "draining" }),
    endpointPlan("shut", { weight: 0 }),
    endpointPlan("open"),
  ]);
  const selection = testSelection();
  for (const key of ["going", "shut", "open"]) {
    deepEqual(outcome(selection.choose(sticky, plan, withCookie(token(key)))), [key, undefined]);
  }
  deepEqual([...spread(selection, sticky, plan, 50)], [["open", 50]]);
});

void test("where all drain a client is served, and no session begins", () => {
  const plan = planWith([endpointPlan("going", { state: "draining" })]);
  deepEqual(outcome(testSelection().choose(sticky, plan, requestHead())), ["going", undefined]);
});

void test("CTL-161: after a failure only this request goes elsewhere; the client keeps its cookie", () => {
  const selection = testSelection();
  const request = withCookie(token("pod-1"));
  selection.choose(sticky, three, request)!.done("failed");
  const again = selection.choose(sticky, three, request, { endpoints: new Set(["pod-1"]) })!;
  notEqual(again.endpoint.key, "pod-1");
  equal(again.setCookie, undefined);
  // The next one asks it again, though it failed a moment ago.
  deepEqual(outcome(selection.choose(sticky, three, request)), ["pod-1", undefined]);
});

void test("CTL-161: with change-on-failure the client moves for good", () => {
  const route = withAffinity({ changeOnFailure: true });
  const selection = testSelection();
  const request = withCookie(token("pod-1"));
  selection.choose(route, three, request)!.done("failed");
  const again = selection.choose(route, three, request, { endpoints: new Set(["pod-1"]) })!;
  notEqual(again.endpoint.key, "pod-1");
  equal(cookieOf(again), token(again.endpoint.key));
});

void test("CTL-161: a new client whose first try failed gets the cookie of the one that answered", () => {
  const selection = testSelection();
  const first = selection.choose(sticky, three, requestHead())!;
  first.done("failed");
  const second = selection.choose(sticky, three, requestHead(), { endpoints: new Set([first.endpoint.key]) })!;
  notEqual(second.endpoint.key, first.endpoint.key);
  equal(cookieOf(second), token(second.endpoint.key));
});

void test("CTL-161: a session whose endpoint is alone is asked again, and its cookie stays", () => {
  const alone = planWith(endpointPlans(1));
  const choice = testSelection().choose(sticky, alone, withCookie(token("pod-0")), { endpoints: new Set(["pod-0"]) });
  deepEqual(outcome(choice), ["pod-0", undefined]);
});

void test("a token of a former key is known, and made anew with the current one", () => {
  const both = tokensOf(cookieKeys(2, 1));
  const plan = planWith(["pod-0", "pod-1", "pod-2"].map((key) => endpointPlan(key, { tokens: both(key) })));
  const selection = testSelection();
  const renewed = selection.choose(sticky, plan, withCookie(token("pod-1")))!;
  deepEqual(outcome(renewed), ["pod-1", `INGRESSCOOKIE=${both("pod-1")[0]}`]);
  deepEqual(outcome(selection.choose(sticky, plan, withCookie(cookieOf(renewed)))), ["pod-1", undefined]);
});

void test("without a key requests are balanced and no cookie is given", () => {
  const plan = planWith(endpointPlans(3).map((endpoint) => ({ ...endpoint, tokens: [] })));
  const selection = testSelection();
  equal(selection.choose(sticky, plan, withCookie(token("pod-0")))!.setCookie, undefined);
  equal(spread(selection, sticky, plan, 30, () => withCookie(token("pod-0"))).size, 3);
});

void test("CTL-154: a route without affinity neither gives cookies nor heeds them", () => {
  const selection = testSelection();
  const plain = routePlan("web");
  equal(selection.choose(plain, three, withCookie(token("pod-0")))!.setCookie, undefined);
  deepEqual([...spread(selection, plain, three, 30, () => withCookie(token("pod-0"))).values()], [10, 10, 10]);
});

void test("CTL-157, CTL-158, CTL-168: the cookie is the route's, whatever host the request came to", () => {
  const route = withAffinity({ name: "route", path: "/shop" }, { host: "", path: "/shop" });
  const selection = testSelection();
  for (const host of ["alias.example", "", "192.0.2.9"]) {
    const choice = selection.choose(route, three, requestHead({ host, scheme: "https" }))!;
    match(choice.setCookie!, /^route=[A-Za-z0-9_-]{22}; Path=\/shop; Secure; HttpOnly$/);
    const cookie = cookieOf(choice)!;
    equal(selection.choose(route, three, requestHead({ host, headers: { cookie } }))?.endpoint, choice.endpoint);
  }
});

void test("CTL-165: the cookie says nothing of address, port, name or uid", () => {
  const endpoint = endpointPlan("9f1c1a52-8b1c-4c1e-9a55-0c3b6f1f2a10", { address: "10.244.3.7", port: 8443 });
  const cookie = testSelection().choose(sticky, planWith([endpoint]), requestHead())!.setCookie!;
  for (const word of ["10.244", "8443", "9f1c", "web", "shop"]) ok(!cookie.includes(word));
  const value = Buffer.from(
    cookieOf(testSelection().choose(sticky, planWith([endpoint]), requestHead()))!.slice(14),
    "base64url",
  );
  equal(value.length, 16);
});

void test("a choice that is done twice counts once", () => {
  const least = planOf(backendPlan("web", endpointPlans(2), { algorithm: "least-requests" }));
  const selection = testSelection();
  const route = routePlan("web");
  const choice = selection.choose(route, least, requestHead())!;
  for (let at = 0; at < 50; at++) choice.done("ended");
  // Counted twice it would seem to have fewer than none under way, and draw all to it.
  const counts = spread(selection, route, least, 40);
  deepEqual([...counts.values()], [20, 20]);
});

const main = backendPlan("web", endpointPlans(3));
const beta = backendPlan("beta", endpointPlans(2, 100));
const both = planOf(main, beta);
const isBeta = (choice: Choice | undefined): boolean => choice?.backend === beta;
const withCanary = (canary: Parameters<typeof canaryPlan>[1], affinity?: Partial<CookieAffinity>): RoutePlan =>
  withAffinity(affinity, { canaries: [canaryPlan("beta", canary)] });

void test("CTL-156: sticky: whoever began with the canary, or with the main backend, stays there whatever is drawn", () => {
  const selection = testSelection(7);
  const half = withCanary({ weight: 50 });
  const clients = Array.from({ length: 200 }, () => selection.choose(half, both, requestHead())!);
  const began = clients.filter(isBeta).length;
  ok(began > 60 && began < 140, `${began} of 200 began with the canary`);
  for (const weight of [50, 0, 100]) {
    const route = withCanary({ weight });
    for (const first of clients) {
      deepEqual(outcome(selection.choose(route, both, withCookie(cookieOf(first)))), [first.endpoint.key, undefined]);
    }
  }
});

void test("CTL-156: legacy: each request is drawn; the canary gives no session and costs nobody that of the main backend", () => {
  const selection = testSelection(7);
  const route = withCanary({ weight: 50 }, { canaryBehavior: "legacy" });
  const chosen = Array.from({ length: 200 }, () => selection.choose(route, both, withCookie(token("pod-1")))!);
  const drawn = chosen.filter(isBeta);
  ok(drawn.length > 60 && drawn.length < 140, `${drawn.length} of 200 went to the canary`);
  for (const choice of chosen) {
    equal(choice.setCookie, undefined);
    if (!isBeta(choice)) equal(choice.endpoint.key, "pod-1");
  }
});

void test("CTL-156: legacy: a session that a canary gave before is none any more", () => {
  const route = withCanary({ weight: 100 }, { canaryBehavior: "legacy" });
  equal(spread(testSelection(), route, both, 30, () => withCookie(token("pod-100"))).size, 2);
});

void test("CTL-156: what header and cookie say of the canary comes before a session", () => {
  const selection = testSelection();
  const route = withCanary({ header: { name: "x-canary" }, cookie: "beta", weight: 100 });
  const ask = (headers: Record<string, string>) => selection.choose(route, both, requestHead({ headers }));
  equal(isBeta(ask({ "x-canary": "always", cookie: token("pod-1") })), true);
  equal(isBeta(ask({ cookie: `beta=always; ${token("pod-1")}` })), true);
  equal(isBeta(ask({ "x-canary": "never", cookie: token("pod-100") })), false);
  deepEqual(outcome(ask({ "x-canary": "always", cookie: token("pod-101") })), ["pod-101", undefined]);
  deepEqual(outcome(ask({ "x-canary": "never", cookie: token("pod-2") })), ["pod-2", undefined]);
});

void test("a canary without endpoints takes no request", () => {
  const selection = testSelection();
  const plans = [
    planOf(main),
    planOf(main, backendPlan("beta", [])),
    planOf(main, backendPlan("beta", [endpointPlan("x", { state: "draining" })])),
  ];
  for (const plan of plans) {
    for (const route of [withCanary({ weight: 100 }), withCanary({ header: { name: "x-canary" } })]) {
      const choice = selection.choose(route, plan, requestHead({ headers: { "x-canary": "always" } }));
      equal(choice?.backend, main);
    }
  }
});

void test("CTL-161: a request is tried again where it was drawn to; at the main backend when the canary has nobody else", () => {
  const route = withCanary({ weight: 100 });
  const selection = testSelection();
  const tried = new Set<string>();
  for (let at = 0; at < 2; at++) {
    const choice = selection.choose(withCanary({ weight: at === 0 ? 100 : 0 }), both, requestHead(), {
      endpoints: tried,
    })!;
    equal(isBeta(choice), true);
    choice.done("failed");
    tried.add(choice.endpoint.key);
  }
  const third = selection.choose(route, both, requestHead(), { endpoints: tried });
  equal(third?.backend, main);
  equal(third?.setCookie, undefined);
  const moving = withCanary({ weight: 100 }, { changeOnFailure: true });
  notEqual(selection.choose(moving, both, requestHead(), { endpoints: tried })?.setCookie, undefined);
});

void test("a route without a backend, or with one that the plan has not, gets nothing", () => {
  equal(testSelection().choose(routePlan(undefined), three, requestHead()), undefined);
  equal(testSelection().choose(routePlan("gone"), three, requestHead()), undefined);
});
