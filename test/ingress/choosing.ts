import type { IngressPlan, RoutePlan } from "../../src/ingress/plan/plan.ts";
import type { RequestHead } from "../../src/ingress/request.ts";
import { createSelection } from "../../src/ingress/selection/create-selection.ts";
import type { Choice, Selection } from "../../src/ingress/selection/selection.ts";
import { manualClock } from "../client/waiting.ts";
import { requestHead, seeded } from "./plans.ts";

/** A selection whose time stands still and whose chance is the same in each run. */
export function testSelection(seed = 1): Selection & ReturnType<typeof manualClock> {
  const clock = manualClock();
  return { ...clock, ...createSelection({ clock, random: seeded(seed) }) };
}

/** The value of the cookie that the answer sets, as the client sends it from then on. */
export const cookieOf = (choice: Choice | undefined): string | undefined => choice?.setCookie?.split(";", 1)[0];

/** Keys of the endpoints that so many requests go to, one after another or all under way. */
export const choices = (
  selection: Selection,
  route: RoutePlan,
  plan: IngressPlan,
  count: number,
  request: (at: number) => RequestHead = () => requestHead(),
  end: "answered" | "under way" = "answered",
): string[] =>
  Array.from({ length: count }, (_, at) => {
    const choice = selection.choose(route, plan, request(at));
    if (end === "answered") choice?.done("ended", 0.01);
    return choice?.endpoint.key ?? "nobody";
  });

/** How many of so many requests, one after another, go to each endpoint. */
export function spread(
  selection: Selection,
  route: RoutePlan,
  plan: IngressPlan,
  count: number,
  request?: (at: number) => RequestHead,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of choices(selection, route, plan, count, request)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
