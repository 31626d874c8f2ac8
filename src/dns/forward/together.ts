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

/**
 * Of several equal questions at one time only the first is asked; all get its answer. Beside the load this takes away
 * what a forger needs: many queries for one question, of which he must guess but one (RFC 5452 §5).
 */
export function createTogether(resolver: Resolver): Resolver {
  const underWay: Record<Transport, Map<number, UnderWay>> = { udp: new Map(), tcp: new Map() };

  return {
    resolve(packet: Buffer, query: Query, transport: Transport): Promise<Response> {
      if (!wantsRecursion(packet)) return resolver.resolve(packet, query, transport);
      const variant = variantOf(packet, query);
      const key = keyOf(query.hash, variant);
      const flights = underWay[transport];
      const found = flights.get(key);
      if (found !== undefined) {
        const { end, question } = found;
        const isSame = end === query.end && found.variant === variant && isSameQuestion(question, packet, end);
        return isSame ? found.response : resolver.resolve(packet, query, transport);
      }
      const question = query.isLower ? packet : lowered(packet, query.end);
      const response = resolver.resolve(packet, query, transport);
      flights.set(key, { question, end: query.end, variant, response });
      const over = (): void => void flights.delete(key);
      response.then(over, over);
      return response;
    },
    stop: () => resolver.stop(),
  };
}
