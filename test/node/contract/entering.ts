import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { until } from "../../lab/until.ts";
import { example, type RuntimeSubject } from "./subject.ts";

export const enteringExamples = (subject: RuntimeSubject): void => {
  const { exec, attach, judges } = subject.abilities;
  const talker = {
    ...subject.server(8080),
    ...(subject.abilities.programs ? { command: ["sh", "-c", "while :; do echo here; sleep 0.1; done"] } : {}),
  };

  if (exec) {
    example(subject, "exec: a program runs inside; its streams and its exit code come back", async (at) => {
      const { started, start } = await at.run(talker);
      const command = ["sh", "-c", "hostname; cat; echo wrong >&2; exit 7"];
      const execution = await at.runtime.exec(started, { command, stdin: true });
      execution.stdin?.end("given\n");
      const [out, err] = await Promise.all([text(execution.stdout), text(execution.stderr)]);
      assert.equal(out, `${start.hostname}\ngiven\n`);
      assert.equal(err, "wrong\n");
      assert.equal(await execution.ended, 7);
    });
  } else {
    example(subject, "exec is refused with a sentence on standard error and exit code 126", async (at) => {
      const { started } = await at.run(talker);
      const execution = await at.runtime.exec(started, { command: ["true"], stdin: false });
      assert.match(await text(execution.stderr), /this container is simulated: no program runs in it/);
      assert.equal(await text(execution.stdout), "");
      assert.equal(await execution.ended, 126);
    });
  }

  example(subject, `attach: ${attach}`, async (at) => {
    const { started } = await at.run(talker);
    if (attach === "absent") return assert.equal(typeof at.runtime.attach, "undefined");
    const attachment = await at.runtime.attach!(started, { stdin: false });
    if (attach === "refused") {
      assert.match(await text(attachment.stderr), /this container is simulated: no program runs in it/);
      return assert.equal(await attachment.ended, 126);
    }
    let said = "";
    attachment.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await until("what the program says", () => said.includes("here"));
    attachment.leave();
    assert.equal((await at.runtime.status(started)).state, "running", "the program goes on");
  });

  if (judges) {
    example(subject, "probes of every kind pass; an annotation makes the pod unready", async (at) => {
      const { pod, container } = (await at.run(subject.server(8080))).start;
      const probes = [
        { httpGet: { port: 1, path: "/" } },
        { tcpSocket: { port: 1 } },
        { exec: { command: ["false"] } },
        { grpc: { port: 1 } },
      ];
      const unready = { ...pod, metadata: { ...pod.metadata, annotations: { "fairlead.dev/ready": "false" } } };
      for (const probe of probes) {
        for (const kind of ["startup", "liveness", "readiness"] as const) {
          assert.equal(at.runtime.judge!(pod, container, kind, probe).ok, true, kind);
          assert.equal(at.runtime.judge!(unready, container, kind, probe).ok, kind !== "readiness", kind);
        }
      }
    });
  } else {
    example(subject, "probes are for the node to ask", async (at) => {
      assert.equal(typeof at.runtime.judge, "undefined");
    });
  }
};
