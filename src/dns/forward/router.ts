import type { ForwardOptions } from "../configuration/configuration.ts";
import { RCODE } from "../names/record.ts";
import type { Resolver } from "./resolver.ts";
import { failureOf } from "./response.ts";
import { endsIn, suffixOf } from "./suffix.ts";

export interface Route {
  readonly forward: Pick<ForwardOptions, "from" | "except">;
  readonly resolver: Resolver;
}

/**
 * Of several ways out, the one with the longest `from` that ends the name and does not leave it out. A name without one
 * is refused, so that the client may ask somebody else.
 */
export function createRouter(routes: readonly Route[]): Resolver {
  const ways = routes
    .map(({ forward, resolver }) => ({
      from: suffixOf(forward.from),
      // The domain itself is never left out: to say so would make no sense of the rest.
      except: forward.except.filter((domain) => domain !== forward.from).map(suffixOf),
      resolver,
    }))
    .sort((one, other) => other.from.length - one.from.length);
  return {
    resolve(packet, query, transport) {
      for (const { from, except, resolver } of ways) {
        if (!endsIn(packet, query.end, from)) continue;
        if (except.some((domain) => endsIn(packet, query.end, domain))) continue;
        return resolver.resolve(packet, query, transport);
      }
      return Promise.resolve(failureOf(packet, query, RCODE.REFUSED));
    },
    stop() {
      for (const { resolver } of ways) resolver.stop();
    },
  };
}
