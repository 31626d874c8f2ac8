import type { Outside } from "./outside.ts";
import type { Resolver } from "./resolver.ts";
import { replyFrom } from "./response.ts";

/** What a resolver answers, as it is, for each client. */
export function madeOut(resolver: Resolver): Outside {
  return {
    resolve: (packet, query, transport) =>
      resolver.resolve(packet, query, transport).then((response) => replyFrom(response, packet, query, 0)),
    stop: () => resolver.stop(),
  };
}
