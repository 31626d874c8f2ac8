import { WEIGHT } from "./shares.ts";
import type { Annotation } from "../annotation.ts";

/** On a pod: its share of new connections beside the Service's other pods, in hundredths of an ordinary pod's. */
export const weight: Annotation<number> = {
  name: WEIGHT,
  should: "a whole number from 0 to 1000, where 100 is an ordinary pod's share and 0 is no new connection",
  otherwise: 100,
  parse: (text) => (/^\d{1,4}$/.test(text) && Number(text) <= 1000 ? Number(text) : undefined),
};
