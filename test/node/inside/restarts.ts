import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Container } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { until } from "../../lab/until.ts";
import * as lab from "./bed.ts";
import { podObject, podThat, shell } from "./bed.ts";

let where: lab.Bed;
let part: NodePart;

before(async () => {
  where = await lab.bed();
  part = await where.start();
});
after(() => where.end(part));

const client = () => where.client;
/** Runs a container to its end and answers how that was. */
const run = async (name: string, container: Partial<Container>) => {
  client().put(pods, podObject(name, { restartPolicy: "Never" }, container));
  const isOver = (phase: string | undefined): boolean => phase === "Succeeded" || phase === "Failed";
  const pod = await podThat(client(), name, (each) => isOver(each.status?.phase));
  return { phase: pod.status?.phase, ...pod.status?.containerStatuses?.[0]?.state?.terminated };
};

void test("the last words of a container are its termination message", async () => {
  const words = await run("words", shell("echo from the log; printf 'all is well' >/dev/termination-log"));
  assert.deepEqual([words.phase, words.reason, words.message], ["Succeeded", "Completed", "all is well"]);
  const elsewhere = await run("elsewhere", {
    ...shell("printf 'over there' >/tmp/last; exit 2"),
    terminationMessagePath: "/tmp/last",
  });
  assert.deepEqual([elsewhere.exitCode, elsewhere.reason, elsewhere.message], [2, "Error", "over there"]);
  const long = await run("long", shell("head -c 10000 /dev/zero | tr '\\0' x >/dev/termination-log"));
  assert.equal(long.message?.length, 4096);
});

void test("FallbackToLogsOnError: the end of the log, when a container that failed left no words", async () => {
  const policy = { terminationMessagePolicy: "FallbackToLogsOnError" };
  const failed = await run("log", { ...shell("for i in $(seq 1 200); do echo line $i; done; exit 1"), ...policy });
  const lines = failed.message?.trimEnd().split("\n") ?? [];
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [80, "line 121", "line 200"]);
  const fine = await run("fine", { ...shell("echo nothing to say"), ...policy });
  assert.equal(fine.message, undefined);
  const file = await run("file", { ...shell("echo log; printf file >/dev/termination-log; exit 1"), ...policy });
  assert.equal(file.message, "file");
});

void test("a command that is not there says which, and where it was looked for", async () => {
  const missing = await run("missing", { command: ["no-such-server", "--port", "80"] });
  assert.deepEqual([missing.phase, missing.reason, missing.exitCode], ["Failed", "StartError", 128]);
  assert.match(
    missing.message ?? "",
    /^starting "no-such-server": executable file not found in \$PATH.*: \/usr\/local\/sbin:/,
  );
  const path = await run("path", { command: ["/opt/no/such"] });
  assert.match(path.message ?? "", /^starting "\/opt\/no\/such": No such file or directory/);
  const denied = await run("denied", { command: ["/etc/passwd"] });
  assert.deepEqual([denied.reason, /Permission denied/.test(denied.message ?? "")], ["StartError", true]);
  const directory = await run("directory", { command: ["true"], workingDir: "/no/such" });
  assert.match(directory.message ?? "", /workingDir \/no\/such/);
  await until("the event", async () =>
    (await lab.eventsOf(client(), "missing")).some((each) => each.startsWith("Failed Error: starting")),
  );
  // One that is there and ends with 127 by itself did run.
  const ran = await run("ran", shell("no-such-command"));
  assert.deepEqual([ran.reason, ran.exitCode], ["Error", 127]);
});

void test("a crash loop waits, and says for how long", async () => {
  client().put(pods, podObject("crash", {}, shell("exit 5")));
  const pod = await podThat(
    client(),
    "crash",
    (each) => each.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
  );
  const status = pod.status?.containerStatuses?.[0];
  assert.match(
    status?.state?.waiting?.message ?? "",
    /^back-off 10s restarting failed container=main pod=crash_default\(/,
  );
  assert.deepEqual([status?.restartCount, status?.lastState?.terminated?.exitCode], [1, 5]);
  assert.equal(pod.status?.phase, "Running");
  await until("the event", async () =>
    (await lab.eventsOf(client(), "crash")).some((each) =>
      each.startsWith("BackOff Back-off restarting failed container main in pod crash_default("),
    ),
  );
});

void test("a pod past activeDeadlineSeconds is ended", async () => {
  client().put(
    pods,
    podObject("late", { activeDeadlineSeconds: 1 }, shell("trap 'exit 0' TERM; while :; do sleep 0.05; done")),
  );
  const pod = await podThat(client(), "late", (each) => each.status?.phase === "Failed");
  assert.equal(pod.status?.reason, "DeadlineExceeded");
});

void test("container rules restart by exit code in a pod that never does", async () => {
  const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
  client().put(
    pods,
    podObject(
      "rules",
      { restartPolicy: "Never", volumes: [{ name: "d", emptyDir: {} }] },
      {
        ...shell("test -e /d/x && exit 1; touch /d/x; exit 42"),
        restartPolicy: "Never",
        restartPolicyRules: rules,
        volumeMounts: [{ name: "d", mountPath: "/d" }],
      },
    ),
  );
  const pod = await podThat(client(), "rules", (each) => each.status?.phase === "Failed");
  assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1);
  assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 42);
});
