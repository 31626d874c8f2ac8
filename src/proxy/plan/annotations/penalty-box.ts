import type { Annotation } from "../../../api/annotation.ts";

/** On a Service: whether endpoints that fail their clients are left out for a while. */
export const penaltyBox: Annotation<boolean> = {
  name: "fairlead.dev/penalty-box",
  should: "on or off",
  otherwise: true,
  parse: (text) => (text === "on" ? true : text === "off" ? false : undefined),
};
