import type { Directive } from "../directive.ts";
import { expectArgs, expectNoBody } from "../values.ts";

/** `loop`: queries that come back to this server are noticed at its start. */
export const loop: Directive = {
  name: "loop",
  read(line, { block }) {
    expectArgs(line, "loop alone", 0);
    expectNoBody(line);
    block.loop = true;
  },
};
