import type { Directive } from "../directive.ts";
import { faultAt, quoted } from "../fault.ts";
import { durationOf, expectArgs, expectNoBody } from "../values.ts";

const INTERVAL = 30_000;
const LEAST_INTERVAL = 2_000;
const JITTER = 15_000;
const LEAST_JITTER = 1_000;

/** `reload [INTERVAL [JITTER]]`: the Corefile is looked at again (DNS-130). */
export const reload: Directive = {
  name: "reload",
  read(line, { whole }) {
    expectArgs(line, "reload [INTERVAL [JITTER]]", 0, 2);
    expectNoBody(line);
    const [first, second] = line.args;
    const interval = first === undefined ? INTERVAL : durationOf(line, first, LEAST_INTERVAL);
    const jitter = second === undefined ? JITTER : durationOf(line, second);
    if (jitter !== 0 && jitter < LEAST_JITTER) {
      throw faultAt(second!, `reload: ${quoted(second!.text)} is not a jitter: 0, or 1s or more`);
    }
    whole.reload = { interval, jitter: Math.min(jitter, interval / 2) };
  },
};
