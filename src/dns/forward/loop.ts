import { parseQuery } from "../wire/query.ts";
import type { Outside } from "./outside.ts";
import { isSameQuestion } from "./question.ts";
import { suffixOf } from "./suffix.ts";

/** Asked by hardly anybody, so that nothing else is disturbed. */
const HINFO = 13;

/** A query for a name that nobody can know of, in a zone. */
function loopQuery(zone: string, random: () => number): Buffer {
  const label = (): string => String(Math.floor(random() * Number.MAX_SAFE_INTEGER));
  const name = suffixOf(`${label()}.${label()}.${zone}`);
  return Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, HINFO, 0, 1]);
}

export interface LoopWatch {
  /** To be put in the place of the outside that is watched. */
  readonly outside: Outside;
  /**
   * Asks outside for a name of our own making, once this server can be asked itself. Answers true when somebody then asks
   * us for it: what we ask comes back to us, and would for ever. Failures to get an answer are no loop.
   */
  detect(): Promise<boolean>;
}

/** Finds out whether what is asked outside comes back to this server. */
export function watchForLoop(outside: Outside, zone: string, random: () => number): LoopWatch {
  const packet = loopQuery(zone, random);
  const query = parseQuery(packet)!;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  return {
    outside: {
      resolve(asked, its, transport) {
        if (its.hash === query.hash && its.end === query.end && isSameQuestion(packet, asked, query.end)) resolve(true);
        return outside.resolve(asked, its, transport);
      },
      stop() {
        resolve(false);
        outside.stop();
      },
    },
    async detect() {
      const answered = Promise.resolve(outside.resolve(packet, query, "udp")).then(
        () => false,
        () => false,
      );
      return Promise.race([promise, answered]);
    },
  };
}
