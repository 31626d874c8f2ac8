import type { Clock } from "../../../observe/clock.ts";
import type { Log } from "../../../observe/log.ts";
import type { EngineGround } from "../../engine.ts";
import { createPasswords } from "../../filters/basic-auth/passwords.ts";
import { createFilters } from "../../filters/create.ts";
import { createAuthorities } from "../../filters/external-auth/authority.ts";
import { createSelection } from "../../selection/create-selection.ts";
import { createHandler } from "./exchange/create-handler.ts";
import type { Handler } from "./handler.ts";

export interface HandlerParts extends Pick<EngineGround, "trust" | "accessLog"> {
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Where https is served, as clients see it; 443. */
  readonly httpsPort?: number;
}

/** What is done with requests: filters of their routes, a choice of an endpoint, and the exchange with it. */
export function composeHandler(parts: HandlerParts): Handler {
  const { clock, random, log, trust, accessLog } = parts;
  const passwords = createPasswords();
  const authorities = createAuthorities();
  const filters = createFilters({
    clock,
    log,
    ask: authorities.ask,
    passwords,
    ...(parts.httpsPort === undefined ? {} : { httpsPort: parts.httpsPort }),
  });
  const handler = createHandler({
    clock,
    random,
    log,
    trust,
    accessLog,
    filtersOf: (route) => filters.of(route),
    selection: createSelection({ clock, random }),
  });
  return {
    request: (request, response, arrival) => handler.request(request, response, arrival),
    upgrade: (request, socket, head, arrival) => handler.upgrade(request, socket, head, arrival),
    connect: (stream, headers, arrival) => handler.connect(stream, headers, arrival),
    follow(plan) {
      filters.follow(plan);
      handler.follow(plan);
    },
    get underWay() {
      return handler.underWay;
    },
    drain: () => handler.drain(),
    async close() {
      await handler.close();
      await Promise.all([passwords.close(), authorities.close()]);
    },
  };
}
