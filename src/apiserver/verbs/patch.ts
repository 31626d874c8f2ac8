import { methodNotAllowed } from "../errors.ts";
import type { Verb } from "./verb.ts";

export const patch: Verb = async () => {
  throw methodNotAllowed();
};
