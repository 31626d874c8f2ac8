import { enteringExamples } from "./entering.ts";
import { lifeExamples } from "./life.ts";
import { manyExamples } from "./many.ts";
import { outlivingExamples } from "./outliving.ts";
import type { RuntimeSubject } from "./subject.ts";

/** Every sentence of the contract in `src/node/runtimes/runtime.ts`, as tests. Run in namespaces as `test/node/pods.test.ts` makes them. */
export const runtimeContract = (subject: RuntimeSubject): void => {
  lifeExamples(subject);
  enteringExamples(subject);
  outlivingExamples(subject);
  manyExamples(subject);
};
