import { test } from "node:test";
import { planStage } from "./sessions/plan-stage.ts";
import { tellSessions } from "./sessions/story.ts";

for (const mode of ["balanced", "persistent"] as const) {
  void test(`CTL-155, CTL-163, CTL-164, CTL-166: as chosen, ${mode}: 1,000 sessions through growth, loss, a rollout, restarts, replicas and keys`, async (t) =>
    tellSessions(t, planStage({ mode })));
}
