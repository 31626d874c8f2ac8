import { test } from "node:test";
import { builtin } from "./lab/engines/builtin.ts";
import { haproxy } from "./lab/engines/haproxy.ts";
import { engineStage } from "./sessions/engine-stage.ts";
import { tellSessions } from "./sessions/story.ts";

for (const [subject, other, mode] of [
  [builtin, haproxy, "balanced"],
  [haproxy, builtin, "persistent"],
] as const) {
  void test(
    `${subject.name}: CTL-155, CTL-163, CTL-164, CTL-166, CTL-167: ${mode}: 1,000 sessions over HTTP, through switches of engine too`,
    { skip: subject.missing ?? false, timeout: 600_000 },
    async (t) => {
      const stage = await engineStage(mode, subject, other.missing === undefined ? other : undefined);
      t.after(() => stage.close());
      await tellSessions(t, stage);
    },
  );
}
