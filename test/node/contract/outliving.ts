import assert from "node:assert/strict";
import { until } from "../../lab/until.ts";
import { answerOf, example, exitOf, refusalOf, type RuntimeSubject } from "./subject.ts";

/** What was remembered has been written down and read again. */
const remembered = <T>(started: T): T => JSON.parse(JSON.stringify(started)) as T;

export const outlivingExamples = (subject: RuntimeSubject): void => {
  const { answersWhileAway } = subject.abilities;

  example(
    subject,
    `a container outlives us: while we are away it ${answersWhileAway ? "answers" : "is refused"}, taken over it answers at the same addresses and is ended like any other`,
    async (at) => {
      const { started, start, addresses } = await at.run(subject.server(8080));
      await answerOf(addresses[0]!, 8080);
      const runtime = await at.replace();
      if (answersWhileAway) assert.equal(await answerOf(addresses[0]!, 8080), start.hostname);
      else assert.equal(await refusalOf(addresses[0]!, 8080), "ECONNREFUSED");
      const known = remembered(started);
      await runtime.adopt?.(known, start);
      await until("it to run", async () => (await runtime.status(known)).state === "running");
      for (const address of addresses) assert.equal(await answerOf(address, 8080), start.hostname);
      await runtime.stop(known, "SIGTERM");
      assert.equal(await exitOf(runtime, known), 0);
    },
  );

  example(
    subject,
    "of a container that was not taken over, the end can be asked for by what is remembered",
    async (at) => {
      const { started } = await at.run(subject.server(8080));
      const runtime = await at.replace();
      const known = remembered(started);
      await runtime.stop(known, "SIGKILL");
      assert.equal(await exitOf(runtime, known), 137);
    },
  );
};
