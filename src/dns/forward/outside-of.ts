import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { ServerBlock } from "../configuration/configuration.ts";
import type { SocketAddress } from "../server/address.ts";
import { createCache } from "./cache/cache.ts";
import type { ForwardFigures } from "./figures.ts";
import { createForwarder } from "./forwarder.ts";
import { madeOut } from "./made-out.ts";
import type { Outside } from "./outside.ts";
import type { Resolver } from "./resolver.ts";
import { rotating } from "./rotate.ts";
import { createRouter, type Route } from "./router.ts";
import { createTogether } from "./together.ts";

/** What asking outside needs of the world. */
export interface OutsideGround {
  readonly clock: Clock;
  /** At least 0, below 1, and hard to guess: query ids are made of it. */
  readonly random: () => number;
  readonly log: Log;
  /** True for an address that this server itself answers at. */
  isOwn(to: SocketAddress): boolean;
  /** Absent: nobody counts. */
  readonly figures?: ForwardFigures;
}

/** Who is asked for the names of a block that nobody here knows; undefined when nobody is. */
export function outsideOf(block: ServerBlock, ground: OutsideGround): Outside | undefined {
  const { log, figures } = ground;
  const routes = block.forward.flatMap((forward): Route[] => {
    const to = forward.to.filter(({ address, port }) => {
      const isOwn = ground.isOwn({ address, port });
      if (isOwn) log.warn({ address, port }, "an upstream resolver is this DNS server itself; it is left out");
      return !isOwn;
    });
    return to.length === 0 ? [] : [{ forward, resolver: createForwarder({ ...ground, forward: { ...forward, to } }) }];
  });
  if (routes.length === 0) return undefined;
  const [first] = routes;
  const isOne = routes.length === 1 && first!.forward.from === "" && first!.forward.except.length === 0;
  const resolver: Resolver = createTogether(isOne ? first!.resolver : createRouter(routes));
  const counted = figures === undefined ? {} : { figures };
  const outside =
    block.cache === undefined
      ? madeOut(resolver)
      : createCache({ resolver, cache: block.cache, clock: ground.clock, ...counted });
  return block.loadbalance ? rotating(outside, ground.random) : outside;
}
