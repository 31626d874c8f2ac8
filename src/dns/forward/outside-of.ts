import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { ServerBlock } from "../configuration/configuration.ts";
import type { SocketAddress } from "../server/address.ts";
import { createForwarder } from "./forwarder.ts";
import type { Outside } from "./outside.ts";

/** What asking outside needs of the world. */
export interface OutsideGround {
  readonly clock: Clock;
  /** At least 0, below 1, and hard to guess: query ids are made of it. */
  readonly random: () => number;
  readonly log: Log;
  /** True for an address that this server itself answers at. */
  isOwn(to: SocketAddress): boolean;
}

/** Who is asked for the names of a block that nobody here knows; undefined when nobody is. */
export function outsideOf(block: ServerBlock, ground: OutsideGround): Outside | undefined {
  const { clock, random, log } = ground;
  const upstreams = block.forward
    .flatMap(({ to }) => to)
    .filter((to) => {
      if (ground.isOwn(to)) log.warn({ ...to }, "an upstream resolver is this DNS server itself; it is left out");
      return !ground.isOwn(to);
    });
  return upstreams.length === 0 ? undefined : createForwarder({ upstreams, clock, random });
}
