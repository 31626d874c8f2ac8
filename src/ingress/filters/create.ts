import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { IngressPlan, RoutePlan } from "../plan/plan.ts";
import type { Answer, RequestHead } from "../request.ts";
import { admission } from "./admission.ts";
import { appRoot } from "./app-root.ts";
import type { Passwords } from "./basic-auth/passwords.ts";
import { basicAuth } from "./basic-auth/basic-auth.ts";
import { cookies } from "./cookies.ts";
import { cors } from "./cors.ts";
import type { Ask } from "./external-auth/authority.ts";
import { externalAuth } from "./external-auth/external-auth.ts";
import type { RouteFilters, SendRate } from "./filters.ts";
import { forwardedPrefix } from "./forwarded-prefix.ts";
import { httpsRedirect } from "./https-redirect.ts";
import { locations } from "./locations.ts";
import { createRateLimits } from "./rate-limit/rate-limits.ts";
import { redirect } from "./redirect.ts";
import { refused } from "./refused.ts";
import { requestHeaders } from "./request-headers.ts";
import { responseHeaders } from "./response-headers.ts";
import { rewrite } from "./rewrite.ts";
import { satisfying } from "./satisfy.ts";
import { sources } from "./sources.ts";
import type { Admit, Forward, Respond } from "./step.ts";
import { upstreamHost } from "./upstream-host.ts";

/** What filters stand on. */
export interface FilterGround {
  readonly clock: Clock;
  readonly log: Log;
  /** Asks authorities of `auth-url`. */
  readonly ask: Ask;
  /** Checks passwords of basic auth. */
  readonly passwords: Passwords;
  /** Where https is served, as clients see it; 443. */
  readonly httpsPort?: number;
}

/** What settings do to requests, by route. */
export interface Filters {
  /** Made once for each route of a plan. */
  of(route: RoutePlan): RouteFilters;
  /** Forgets what was counted for Ingresses that this plan does not have. */
  follow(plan: IngressPlan): void;
}

/** Milliseconds between two times of forgetting. */
const FORGET = 60_000;

/** Several as one; undefined where there is none. */
function inTurn<A, B>(steps: readonly ((a: A, b: B) => void)[]): ((a: A, b: B) => void) | undefined {
  if (steps.length < 2) return steps[0];
  return (a, b) => {
    for (const step of steps) step(a, b);
  };
}

export function createFilters({ clock, log, ask, passwords, httpsPort = 443 }: FilterGround): Filters {
  const rates = createRateLimits(clock);
  const made = new WeakMap<RoutePlan, RouteFilters>();
  let forgotten = Number.NEGATIVE_INFINITY;

  const make = (route: RoutePlan): RouteFilters => {
    const { settings } = route;
    const steps: Admit[] = [];
    const forward: Forward[] = [];
    const respond: Respond[] = [];
    let ended: ((request: RequestHead) => void) | undefined;
    let sendRate: SendRate | undefined;

    if (settings.refused !== undefined) steps.push(refused(settings.refused, route, log, clock));
    if (settings.httpsRedirect !== undefined) steps.push(httpsRedirect(settings.httpsRedirect, route, httpsPort));
    if (settings.appRoot !== undefined) steps.push(appRoot(settings.appRoot));
    if (settings.redirect !== undefined) steps.push(redirect(settings.redirect, route));

    if (settings.rewrite !== undefined) forward.push(rewrite(settings.rewrite, route.match));
    if (settings.forwardedPrefix !== undefined) forward.push(forwardedPrefix(settings.forwardedPrefix, route.match));

    // What the backend says of where it is, before anything of ours is put in.
    const seenOutside: Respond[] = [];
    if (settings.locations !== undefined) seenOutside.push(locations(settings.locations));
    if (settings.cookies !== undefined) seenOutside.push(cookies(settings.cookies));

    const auths: Admit[] = [];
    if (settings.basicAuth !== undefined)
      auths.push(basicAuth(settings.basicAuth, { route: route.id }, passwords, log));
    if (settings.externalAuth !== undefined) {
      const external = externalAuth(settings.externalAuth, route, ask, log);
      auths.push(external.admit);
      forward.push(external.forward);
      respond.push(external.respond);
    }
    const { atDoor, access } = satisfying(
      settings.satisfy,
      settings.sources === undefined ? undefined : sources(settings.sources),
      auths,
    );
    steps.push(...atDoor);
    if (settings.cors !== undefined) {
      const { admit, respond: show } = cors(settings.cors);
      steps.push(admit);
      respond.push(show);
    }
    const { rateLimit } = settings;
    const limit =
      rateLimit === undefined ? undefined : rates.of(`${route.ingress.namespace}/${route.ingress.name}`, rateLimit);
    if (limit?.requests !== undefined) steps.push(limit.requests);
    steps.push(...access);
    if (limit?.connections !== undefined) {
      steps.push(limit.connections.admit);
      ended = limit.connections.ended;
    }
    if (rateLimit?.rate !== undefined) sendRate = { bytesPerSecond: rateLimit.rate, after: rateLimit.rateAfter };

    if (settings.upstreamHost !== undefined) forward.push(upstreamHost(settings.upstreamHost, route));
    if (settings.requestHeaders.length > 0) forward.push(requestHeaders(settings.requestHeaders, route));
    if (settings.responseHeaders.length > 0) respond.push(responseHeaders(settings.responseHeaders, route));

    // Our own redirects say where we mean.
    const answered = new WeakMap<RequestHead, true>();
    const marksAnswers = seenOutside.length > 0 && steps.length > 0;
    const noted = marksAnswers
      ? (request: RequestHead, answer: Answer | undefined): Answer | undefined => {
          if (answer !== undefined) answered.set(request, true);
          return answer;
        }
      : undefined;
    const rewriting = inTurn(seenOutside);
    if (rewriting !== undefined) {
      respond.unshift(
        marksAnswers ? (response, request) => void (answered.has(request) || rewriting(response, request)) : rewriting,
      );
    }

    const admit = admission(steps, route, log, noted);
    const forwarding = inTurn(forward);
    const responding = inTurn(respond);
    return {
      ...(admit === undefined ? {} : { admit }),
      ...(forwarding === undefined ? {} : { forward: forwarding }),
      ...(responding === undefined ? {} : { respond: responding }),
      ...(ended === undefined ? {} : { ended }),
      ...(sendRate === undefined ? {} : { sendRate }),
    };
  };

  return {
    of(route) {
      let filters = made.get(route);
      if (filters === undefined) {
        filters = make(route);
        made.set(route, filters);
      }
      return filters;
    },
    follow(plan) {
      if (rates.isEmpty) return;
      const now = clock.now();
      if (now - forgotten < FORGET) return;
      forgotten = now;
      const ingresses = new Set<string>();
      for (const { routes } of plan.hosts.values()) {
        for (const { ingress, settings } of routes) {
          if (settings.rateLimit !== undefined) ingresses.add(`${ingress.namespace}/${ingress.name}`);
        }
      }
      rates.keep(ingresses);
    },
  };
}
