import { parseDuration } from "../../../api/duration.ts";
import type { Annotation } from "../../../api/annotation.ts";

/** A ramp that nobody would wait for is a mistake. */
const MOST = 24 * 3_600_000;

/** On a Service: milliseconds over which a new endpoint comes to its full share; 0 is at once. */
export const slowStart: Annotation<number> = {
  name: "fairlead.dev/slow-start",
  should: "a duration from 0s to 24h, such as 30s",
  otherwise: 0,
  parse: (text) => {
    const milliseconds = parseDuration(text);
    return milliseconds === undefined || milliseconds < 0 || milliseconds > MOST ? undefined : milliseconds;
  },
};
