import { parseDuration } from "../../../api/duration.ts";
import type { OnRemoval } from "../plan.ts";
import type { Annotation } from "../../../api/annotation.ts";

const AFTER = "close-after=";

/** On a Service: what becomes of established TCP connections to an endpoint that it has no more. */
export const onRemoval: Annotation<OnRemoval> = {
  name: "fairlead.dev/on-removal",
  should: "keep, close, or close-after= and a duration, such as close-after=30s",
  otherwise: { action: "keep" },
  parse: (text) => {
    if (text === "keep") return { action: "keep" };
    if (text === "close") return { action: "close", after: 0 };
    const after = text.startsWith(AFTER) ? parseDuration(text.slice(AFTER.length)) : undefined;
    return after === undefined || after < 0 ? undefined : { action: "close", after: Math.round(after) };
  },
};
