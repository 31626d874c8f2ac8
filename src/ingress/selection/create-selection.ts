import { readCookies } from "../affinity/cookie.ts";
import { setCookie } from "../affinity/set-cookie.ts";
import type { BackendPlan, CanaryPlan, IngressPlan, RoutePlan } from "../plan/plan.ts";
import type { RequestHead } from "../request.ts";
import type { Clock } from "../../observe/clock.ts";
import { backendView, type BackendState, type BackendView } from "./backend-view.ts";
import { canaryWords, drawnCanary } from "./canary.ts";
import type { Candidate, May } from "./candidate.ts";
import { hasFailedLately, sawLatency, sessionBegan } from "./endpoint-state.ts";
import type { Choice, Selection, Tried } from "./selection.ts";
import type { Session } from "./sessions.ts";

export interface SelectionOptions {
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

interface Remembered extends BackendState {
  /** The backend of the last plan that was followed, if nothing else has been chosen from since. */
  followed: BackendPlan | undefined;
}

/** Where a request goes, and by which session. */
interface Way {
  readonly view: BackendView;
  readonly session: Session | undefined;
  /** Whether a client may get a session there. */
  readonly givesSessions: boolean;
}

const NONE: ReadonlySet<string> = new Set();

export function createSelection({ clock, random }: SelectionOptions): Selection {
  const states = new Map<string, Remembered>();
  const views = new WeakMap<BackendPlan, BackendView>();

  const viewOf = (id: string | undefined, plan: IngressPlan): BackendView | undefined => {
    const backend = id === undefined ? undefined : plan.backends.get(id);
    if (backend === undefined) return undefined;
    let view = views.get(backend);
    if (view === undefined) {
      const known = states.get(backend.id);
      const state = known ?? { endpoints: new Map(), time: { now: 0 }, followed: undefined };
      if (known === undefined) states.set(backend.id, state);
      state.followed = undefined;
      view = backendView(backend, state, random);
      views.set(backend, view);
    }
    return view;
  };

  /** The canary that the route's request goes to; undefined: the main backend. */
  const way = (
    route: RoutePlan,
    plan: IngressPlan,
    request: RequestHead,
    tried: ReadonlySet<string>,
  ): Way | undefined => {
    const { affinity, canaries } = route;
    const tokens = affinity === undefined ? [] : readCookies(request.headers.cookie, affinity.name);
    const main = viewOf(route.backend, plan);
    const toMain = (): Way | undefined =>
      main && { view: main, session: sessionIn(main, tokens), givesSessions: affinity !== undefined };
    if (canaries.length === 0) return toMain();

    const isSticky = affinity?.canaryBehavior === "sticky";
    const toCanary = (canary: CanaryPlan | undefined): Way | undefined => {
      const view = viewOf(canary?.backend, plan);
      if (view === undefined) return undefined;
      const session = isSticky ? sessionIn(view, tokens) : undefined;
      const mayServe =
        session !== undefined && !tried.has(session.candidate.endpoint.key)
          ? true
          : tried.size === 0
            ? view.open.length > 0
            : view.open.some(({ endpoint }) => !tried.has(endpoint.key));
      // A canary that has nobody takes nothing: the main backend serves.
      return mayServe ? { view, session, givesSessions: isSticky } : undefined;
    };
    const { asked, open } = canaryWords(canaries, request);
    if (tried.size > 0) {
      // A second try stays where the first one was, as long as there is somebody.
      const again = (asked === undefined ? open : [asked]).find(({ backend }) =>
        viewOf(backend, plan)?.backend.endpoints.some(({ key }) => tried.has(key)),
      );
      const there = toCanary(again);
      if (there !== undefined) return there;
      const main = toMain();
      const mayMove = again === undefined || affinity?.changeOnFailure === true;
      return main && { ...main, givesSessions: main.givesSessions && mayMove };
    }
    if (asked !== undefined) return toCanary(asked) ?? toMain();
    if (isSticky && tokens.length > 0) {
      const session = toMain();
      if (session?.session !== undefined) return session;
      for (const canary of open) {
        const found = toCanary(canary);
        if (found?.session !== undefined) return found;
      }
    }
    return toCanary(drawnCanary(open, random())) ?? toMain();
  };

  const chosen = (view: BackendView, candidate: Candidate, cookie: string | undefined): Choice => {
    const { state, endpoint } = candidate;
    state.underWay += 1;
    let isDone = false;
    return {
      backend: view.backend,
      endpoint,
      setCookie: cookie,
      done(outcome, latency) {
        if (isDone) return;
        isDone = true;
        const now = clock.now();
        state.underWay -= 1;
        state.failedAt = outcome === "failed" ? now : undefined;
        if (latency !== undefined) sawLatency(state, latency, now);
      },
    };
  };

  return {
    choose(route, plan, request, { endpoints: tried }: Tried = { endpoints: NONE }) {
      const found = way(route, plan, request, tried);
      if (found === undefined) return undefined;
      const { view, session, givesSessions } = found;
      const now = clock.now();
      const { affinity } = route;
      const cookieOf = ({ endpoint }: Candidate): string | undefined => {
        const token = endpoint.tokens[0];
        if (affinity === undefined || token === undefined) return undefined;
        const { scheme, headers } = request;
        return setCookie(affinity, token, { scheme, userAgent: headers["user-agent"] }, now);
      };
      const isLost = session !== undefined && tried.has(session.candidate.endpoint.key);
      if (session !== undefined && !isLost) {
        return chosen(view, session.candidate, session.isFormer ? cookieOf(session.candidate) : undefined);
      }

      const balance = givesSessions && affinity?.mode === "balanced" ? view.fewestSessions : view.balance;
      const isUntried: May = ({ endpoint }) => !tried.has(endpoint.key);
      const isFit: May = (candidate) => isUntried(candidate) && !hasFailedLately(candidate.state, now);
      const open = balance(isFit, request, now) ?? balance(isUntried, request, now);
      if (open !== undefined) {
        // Without leave to move, a client whose endpoint has failed keeps its cookie, and only this request goes elsewhere (CTL-161).
        const begins = givesSessions && (session === undefined || affinity?.changeOnFailure === true);
        if (begins) sessionBegan(open.state, now);
        return chosen(view, open, begins ? cookieOf(open) : undefined);
      }
      // Nobody is left who takes new clients: one that is going is better than none, and what failed may be asked again. No session begins.
      const going = view.draining.filter(isUntried);
      const last =
        going[Math.floor(random() * going.length)] ??
        session?.candidate ??
        balance(() => true, request, now) ??
        view.draining[0];
      return last && chosen(view, last, undefined);
    },
    follow(plan) {
      for (const [id, state] of states) {
        const backend = plan.backends.get(id);
        if (backend === undefined) {
          states.delete(id);
        } else if (state.followed !== backend) {
          state.followed = backend;
          const keys = new Set(backend.endpoints.map(({ key }) => key));
          for (const key of state.endpoints.keys()) {
            if (!keys.has(key)) state.endpoints.delete(key);
          }
        }
      }
    },
  };
}

/** The first that is known: of others it may have been sent cookies too. */
function sessionIn({ sessions }: BackendView, tokens: readonly string[]): Session | undefined {
  for (const token of tokens) {
    const session = sessions.get(token);
    if (session !== undefined) return session;
  }
  return undefined;
}
