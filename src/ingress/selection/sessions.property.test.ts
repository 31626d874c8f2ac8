import { equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cookieOf, testSelection } from "../../../test/ingress/choosing.ts";
import {
  backendPlan,
  cookieAffinity,
  endpointPlan,
  planOf,
  routePlan,
  withCookie,
} from "../../../test/ingress/plans.ts";
import { times } from "../../../test/lab/counts.ts";
import type { EndpointPlan } from "../plan/plan.ts";

/** What happens to the pods of a backend. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("grow" as const), by: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("lose" as const), which: fc.array(fc.nat(30), { maxLength: 8 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("drain" as const), which: fc.array(fc.nat(30), { maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("weigh" as const), which: fc.nat(30), weight: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function next(endpoints: readonly EndpointPlan[], what: Step, name: () => string): EndpointPlan[] {
  switch (what.do) {
    case "grow":
      return [...endpoints, ...Array.from({ length: what.by }, () => endpointPlan(name()))];
    case "lose":
      return endpoints.filter((_, at) => !what.which.includes(at));
    case "drain":
      return endpoints.map((one, at) => (what.which.includes(at) ? { ...one, state: "draining" as const } : one));
    case "weigh":
      return endpoints.map((one, at) => (what.which === at ? { ...one, weight: what.weight } : one));
    case "restart":
      return [...endpoints];
  }
}

const CLIENTS = 40;

for (const mode of ["balanced", "persistent"] as const) {
  void test(`CTL-155, CTL-166: ${mode}: through growth, loss, draining, weights and restarts a session moves exactly when its endpoint is gone`, () => {
    const property = fc.property(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.constantFrom("round-robin" as const, "least-requests" as const, "ewma" as const),
      (steps, algorithm) => {
        let names = 0;
        const name = (): string => `pod-${names++}`;
        let endpoints = [endpointPlan(name()), endpointPlan(name()), endpointPlan(name())];
        const route = routePlan("web", { affinity: cookieAffinity({ mode }) });
        let selection = testSelection();
        const cookies: (string | undefined)[] = Array.from({ length: CLIENTS });
        const homes: (string | undefined)[] = Array.from({ length: CLIENTS });
        for (const what of [{ do: "restart" } as const, ...steps]) {
          endpoints = next(endpoints, what, name);
          if (what.do === "restart") selection = testSelection(names);
          const plan = planOf(backendPlan("web", endpoints, { algorithm }));
          selection.follow(plan);
          const present = new Set(endpoints.map(({ key }) => key));
          for (let client = 0; client < CLIENTS; client++) {
            const choice = selection.choose(route, plan, withCookie(cookies[client]));
            choice?.done("ended", 0.01);
            const home = homes[client];
            if (home !== undefined && present.has(home)) {
              equal(choice?.endpoint.key, home);
              equal(choice?.setCookie, undefined);
            } else if (choice?.setCookie !== undefined) {
              homes[client] = choice.endpoint.key;
              cookies[client] = cookieOf(choice);
            }
            // Without a cookie nothing was promised: nobody takes new clients just now.
            else
              equal(
                endpoints.some(({ state, weight }) => state === "serving" && weight > 0),
                false,
              );
          }
        }
      },
    );
    fc.assert(property, { seed: 7, numRuns: times(150, 5000) });
  });
}
