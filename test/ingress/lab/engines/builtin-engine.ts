import type { EngineGround, IngressEngine } from "../../../../src/ingress/engine.ts";
import { createBuiltinEngine } from "../../../../src/ingress/engines/builtin/builtin.ts";
import { createHandler } from "../../../../src/ingress/engines/builtin/exchange/create-handler.ts";
import { createPasswords } from "../../../../src/ingress/filters/basic-auth/passwords.ts";
import { createFilters } from "../../../../src/ingress/filters/create.ts";
import { createAuthorities } from "../../../../src/ingress/filters/external-auth/authority.ts";
import { createSelection } from "../../../../src/ingress/selection/create-selection.ts";
import { systemClock } from "../../../../src/observe/clock.ts";
import { silentLog } from "../../../../src/observe/log.ts";

/** The engine that is part of Fairlead, with everything that it is made of. */
export function builtinEngine(ground: EngineGround): IngressEngine {
  const clock = systemClock;
  const log = silentLog;
  const random = Math.random;
  const passwords = createPasswords();
  const authorities = createAuthorities();
  const filters = createFilters({ clock, log, passwords, ask: authorities.ask });
  const selection = createSelection({ clock, random });
  const { trust, accessLog } = ground;
  const filtersOf: typeof filters.of = (route) => filters.of(route);
  const handler = createHandler({ clock, random, log, trust, accessLog, selection, filtersOf });
  const engine = createBuiltinEngine({ ...ground, clock, log, random }, handler);
  return {
    name: engine.name,
    failed: engine.failed,
    get listening() {
      return engine.listening;
    },
    async apply(plan) {
      filters.follow(plan);
      await engine.apply(plan);
    },
    async stop(drain) {
      await engine.stop(drain);
      await Promise.all([passwords.close(), authorities.close()]);
    },
  };
}
