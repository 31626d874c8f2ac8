import type { Directive } from "../directive.ts";
import { faultAt } from "../fault.ts";
import { expectArgs, expectNoBody, oneOf } from "../values.ts";

/** `loadbalance [round_robin]`: addresses come in another order each time (DNS-021). */
export const loadbalance: Directive = {
  name: "loadbalance",
  read(line, { block }) {
    const [policy] = line.args;
    if (policy?.text === "weighted") {
      throw faultAt(
        line,
        "loadbalance: weighted is not known here; there is round_robin, which is meant where nothing is said",
      );
    }
    expectArgs(line, "loadbalance [round_robin]", 0, 1);
    if (policy !== undefined) oneOf(line, policy, ["round_robin"]);
    expectNoBody(line);
    block.loadbalance = true;
  },
};
