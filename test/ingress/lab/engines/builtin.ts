import type { EngineSubject } from "../door.ts";
import { builtinEngine } from "./builtin-engine.ts";

const TODO: ReadonlyMap<string, string> = new Map([
  [
    "mirror-target: each request goes there too, and its answer nowhere",
    "the copy of a POST has not arrived at the mirror's pod as a whole within 30 seconds",
  ],
]);

export const builtin: EngineSubject = {
  name: "builtin",
  todo: TODO,
  create: async (ground) => builtinEngine(ground),
};
