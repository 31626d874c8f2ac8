import type { EngineSubject } from "../door.ts";
import { builtinEngine } from "./builtin-engine.ts";

export const builtin: EngineSubject = {
  name: "builtin",
  create: async (ground) => builtinEngine(ground),
};
