import type { Query } from "../wire/query.ts";
import type { Transport } from "./outside.ts";
import { isSameQuestion, keyOf, lowered, variantOf, wantsRecursion } from "./question.ts";
import type { Resolver } from "./resolver.ts";
import type { Response } from "./response.ts";

interface UnderWay {
  /** The question section in lower case, at its place in a packet. */
  readonly question: Buffer;
  readonly end: number;
  readonly variant: number;
  readonly response: Promise<Response>;
}

/** Questions that can be under way at one time and be found; a power of 2. One that finds its place taken goes alone. */
const PLACES = 16_384;

/**
 * Of several equal questions at one time only the first is asked; all get its answer. Beside the load this takes away
 * what a forger needs: many queries for one question, of which he must guess but one (RFC 5452 §5).
 */
export function createTogether(resolver: Resolver): Resolver {
  // Not maps: the tables that one leaves behind, as questions come and go, keep them from being collected for long.
  const underWay: Record<Transport, (UnderWay | undefined)[]> = {
    udp: Array.from({ length: PLACES }, () => undefined),
    tcp: Array.from({ length: PLACES }, () => undefined),
  };

  return {
    resolve(packet: Buffer, query: Query, transport: Transport): Promise<Response> {
      if (!wantsRecursion(packet)) return resolver.resolve(packet, query, transport);
      const variant = variantOf(packet, query);
      const places = underWay[transport];
      const place = keyOf(query.hash, variant) & (PLACES - 1);
      const found = places[place];
      if (found !== undefined) {
        const { end, question } = found;
        const isSame = end === query.end && found.variant === variant && isSameQuestion(question, packet, end);
        return isSame ? found.response : resolver.resolve(packet, query, transport);
      }
      const question = query.isLower ? packet : lowered(packet, query.end);
      const response = resolver.resolve(packet, query, transport);
      places[place] = { question, end: query.end, variant, response };
      const over = (): void => void (places[place] = undefined);
      response.then(over, over);
      return response;
    },
    stop: () => resolver.stop(),
  };
}
