import assert from "node:assert/strict";
import { until } from "../../lab/until.ts";
import { answerOf, example, exitOf, isOver, logOf, refusalOf, type RuntimeSubject } from "./subject.ts";

export const lifeExamples = (subject: RuntimeSubject): void => {
  example(subject, "a started container runs, and whoever watches hears of it and of its end", async (at) => {
    const { started } = await at.run(subject.server(8080));
    let heard = 0;
    const stop = at.runtime.watch(started, () => (heard += 1));
    await until("it to run", async () => (await at.runtime.status(started)).state === "running");
    await until("a first call", () => heard > 0);
    const before = heard;
    await at.runtime.stop(started, "SIGKILL");
    await until("a call when it ended", async () => heard > before && (await isOver(at.runtime, started)));
    stop();
  });

  example(subject, "it answers at every address of its pod, with its hostname", async (at) => {
    const made = await at.run(subject.server(8080));
    assert.equal(made.addresses.length, 2);
    for (const address of made.addresses) assert.equal(await answerOf(address, 8080), made.start.hostname);
  });

  example(subject, "a port nobody has is refused, also one that another pod has", async (at) => {
    const [one, other] = [await at.run(subject.server(8080)), await at.run(subject.server(8081))];
    await answerOf(one.addresses[0]!, 8080);
    await answerOf(other.addresses[0]!, 8081);
    for (const address of one.addresses) assert.equal(await refusalOf(address, 8081), "ECONNREFUSED");
    for (const address of other.addresses) assert.equal(await refusalOf(address, 8080), "ECONNREFUSED");
  });

  example(subject, "SIGTERM: it ends with the exit code of its choice, and its port is refused", async (at) => {
    const { started, addresses } = await at.run(subject.server(8080));
    await answerOf(addresses[0]!, 8080);
    await at.runtime.stop(started, "SIGTERM");
    assert.equal(await exitOf(at.runtime, started), 0);
    assert.equal(await refusalOf(addresses[0]!, 8080), "ECONNREFUSED");
    await at.runtime.stop(started, "SIGKILL");
    assert.equal(await exitOf(at.runtime, started), 0, "an end is for good");
  });

  example(subject, "SIGKILL: it is over with exit code 137", async (at) => {
    const { started, addresses } = await at.run(subject.server(8080));
    await answerOf(addresses[0]!, 8080);
    await at.runtime.stop(started, "SIGKILL");
    assert.equal(await exitOf(at.runtime, started), 137);
    assert.equal(await refusalOf(addresses[0]!, 8080), "ECONNREFUSED");
  });

  example(subject, "two containers of a pod answer at one address, each at its port", async (at) => {
    const one = { ...subject.server(8080), name: "one" };
    const other = { ...subject.server(9090), name: "other" };
    const first = await at.run(one, { spec: { containers: [one, other] } });
    const second = await at.run(other, { beside: first });
    for (const port of [8080, 9090]) assert.equal(await answerOf(first.addresses[0]!, port), first.start.hostname);
    await at.runtime.stop(second.started, "SIGKILL");
    await exitOf(at.runtime, second.started);
    assert.equal(await answerOf(first.addresses[0]!, 8080), first.start.hostname, "the other goes on");
  });

  example(subject, "the second container that wants a port ends with exit code 1 and says why", async (at) => {
    const one = { ...subject.server(8080), name: "one" };
    const other = { ...subject.server(8080), name: "other" };
    const first = await at.run(one, { spec: { containers: [one, other] } });
    await answerOf(first.addresses[0]!, 8080);
    const second = await at.run(other, { beside: first });
    assert.equal(await exitOf(at.runtime, second.started), 1);
    await until("the log to say so", async () => /in use/.test(await logOf(second)));
    assert.equal(await answerOf(first.addresses[0]!, 8080), first.start.hostname);
  });

  const shell = { name: "main", command: ["sh", "-c", "echo said; exit 7"] };
  if (subject.abilities.programs) {
    example(subject, "the command runs: what it says is in the log, and its exit code is told", async (at) => {
      const made = await at.run(shell);
      assert.equal(await exitOf(at.runtime, made.started), 7);
      assert.match(await logOf(made), /said/);
    });
  } else {
    example(
      subject,
      "a command is not run: the container goes on until it is ended, and the log says so",
      async (at) => {
        const made = await at.run(shell);
        assert.deepEqual(await at.runtime.status(made.started), { state: "running" });
        assert.match(await logOf(made), /^simulated: no program runs; no port is declared/);
        await at.runtime.stop(made.started, "SIGTERM");
        assert.equal(await exitOf(at.runtime, made.started), 0);
      },
    );
  }
};
