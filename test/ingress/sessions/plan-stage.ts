import { tokensOf } from "../../../src/ingress/affinity/token.ts";
import type { CookieAffinity } from "../../../src/ingress/plan/plan.ts";
import { createSelection } from "../../../src/ingress/selection/create-selection.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { cookieOf } from "../choosing.ts";
import {
  backendPlan,
  cookieAffinity,
  cookieKeys,
  endpointPlan,
  planOf,
  routePlan,
  seeded,
  withCookie,
} from "../plans.ts";
import type { DoorName } from "./clients.ts";
import type { SessionPod, SessionStage, StagePod } from "./story.ts";

/** Sessions as they are chosen, without anything that carries them. */
export function planStage(affinity: Partial<CookieAffinity>): SessionStage {
  const route = routePlan("web", { affinity: cookieAffinity(affinity) });
  let seeds = 0;
  const replica = () => createSelection({ clock: systemClock, random: seeded(++seeds) });
  const doors: Record<DoorName, ReturnType<typeof replica>> = { first: replica(), second: replica() };
  const running = new Map<string, SessionPod>();
  let tokens = tokensOf(cookieKeys(1));
  let pods: readonly StagePod[] = [];
  let plan = planOf();
  const follow = (): void => {
    const endpoints = pods.map(({ pod: { uid, address }, isDraining = false }) =>
      endpointPlan(uid, { address, tokens: tokens(uid), state: isDraining ? "draining" : "serving" }),
    );
    plan = planOf(backendPlan("web", endpoints));
    for (const door of Object.values(doors)) door.follow(plan);
  };
  let names = 0;
  return {
    async open(address) {
      names += 1;
      const pod = { uid: `uid-${names}`, address: address ?? `10.0.0.${names}` };
      running.set(pod.address, pod);
      return pod;
    },
    async carry(next) {
      pods = next;
      follow();
    },
    async end(pod) {
      if (running.get(pod.address) === pod) running.delete(pod.address);
    },
    async rotate(keys) {
      tokens = tokensOf(cookieKeys(...keys));
      follow();
    },
    async restart() {
      doors.first = replica();
    },
    async ask(cookie, door) {
      const tried = new Set<string>();
      for (let at = 0; at < 3; at++) {
        const choice = doors[door].choose(route, plan, withCookie(cookie), { endpoints: tried });
        if (choice === undefined) break;
        // An address answers as whoever has it now.
        const pod = running.get(choice.endpoint.address);
        choice.done(pod === undefined ? "failed" : "ended");
        if (pod !== undefined) return { status: 200, pod: pod.uid, cookie: cookieOf(choice) };
        tried.add(choice.endpoint.key);
      }
      return { status: 503, pod: undefined, cookie: undefined };
    },
  };
}
