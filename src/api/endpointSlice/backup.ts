import { BACKUP } from "./shares.ts";
import type { Annotation } from "../annotation.ts";

/** On a pod: it is used only when no other of the Service can be. */
export const backup: Annotation<boolean> = {
  name: BACKUP,
  should: "true or false",
  otherwise: false,
  parse: (text) => (text === "true" ? true : text === "false" ? false : undefined),
};
