import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Container, PodSpec } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/resources.ts";
import { childrenOf, identityOf, isRunning } from "../../../src/host/process-identity.ts";
import { startedProcess } from "../../../src/node/runtimes/process/started.ts";
import type { Attachment, Execution } from "../../../src/node/runtimes/runtime.ts";
import type { NodePart } from "../../../src/node/node.ts";
import type { PodRecord } from "../../../src/node/state/pod-record.ts";
import { until } from "../../lab/until.ts";
import { bed, conditionOf, exitCodeOf, logOf, podObject, podThat, rootless, shell, type Bed } from "./bed.ts";

let where: Bed;
let part: NodePart;
before(async () => {
  where = await bed();
  part = await where.start();
});
after(() => where.end(part));

async function runs(name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}) {
  where.client.put(pods, podObject(name, { restartPolicy: "Never", ...spec }, container));
  return podThat(where.client, name, (each) => conditionOf(each, "Ready") === "True");
}
const at = (pod: string) => ({ namespace: "default", pod, container: "main" });
const startedOf = async (uid: string) => {
  const record = JSON.parse(await readFile(join(where.directory, "state", `${uid}.json`), "utf8")) as PodRecord;
  return startedProcess(record.containers["main"]!.started!);
};

/** What a program has said so far. */
function heard(program: Execution | Attachment): { text: string } {
  const so = { text: "" };
  program.stdout.on("data", (chunk: Buffer) => (so.text += chunk.toString()));
  program.stderr.resume();
  return so;
}
const hears = (so: { text: string }, words: RegExp): Promise<true> =>
  until(`${words}`, () => words.test(so.text) || undefined).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; heard ${JSON.stringify(so.text)}`, { cause: error });
  });

void test("a command on a terminal has its size and its changes, job control, Ctrl-C, and its exit code", async () => {
  await runs("house", shell("sleep 1000"));
  const run = await part.source.exec(at("house"), { command: ["bash", "--norc", "-i"], stdin: true, tty: true });
  const so = heard(run);
  run.resize?.(100, 40);
  run.stdin?.write("PS1='> '; tty; echo term=$TERM; stty size\n");
  await hears(so, /\/dev\/pts\/0\r\nterm=xterm\r\n40 100\r\n/);
  run.resize?.(90, 30);
  run.stdin?.write("stty size\n");
  await hears(so, /30 90\r\n/);
  run.stdin?.write(`sh -c 'trap "echo caught; exit 5" INT; echo set $$; while :; do sleep 0.05; done'\n`);
  await hears(so, /set \d+\r\n/);
  // Only what is in the foreground hears it; the shell goes on.
  run.stdin?.write("\x03");
  await hears(so, /caught\r\n/);
  run.stdin?.write("echo after $?\n");
  await hears(so, /after (5|130)\r\n/);
  run.stdin?.write("exit 7\n");
  assert.equal(await run.ended, 7);
  assert.doesNotMatch(so.text, /no job control|cannot set terminal/);
});

void test("a command on a terminal says all before it ends, and ends with its client, what it put in the background too", async () => {
  const said = await part.source.exec(at("house"), { command: ["seq", "20000"], stdin: false, tty: true });
  const all = await text(said.stdout);
  assert.equal(all, Array.from({ length: 20_000 }, (_, index) => `${index + 1}\r\n`).join(""));
  assert.equal(await said.ended, 0);
  const script = "sleep 1234 & trap '' INT; echo begun; sleep 1235";
  const run = await part.source.exec(at("house"), { command: ["sh", "-c", script], stdin: true, tty: true });
  await hears(heard(run), /begun/);
  run.kill();
  await run.ended;
  await until("the programs to end", async () => {
    const ps = await part.source.exec(at("house"), { command: ["ps", "-eo", "args"], stdin: false });
    return /sleep 123[45]/.test(await text(ps.stdout)) ? undefined : true;
  });
});

void test("a command has the container's user, no capability, no way to one, and the container's filter of system calls", async () => {
  const script = "grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; unshare -U true && echo made";
  const says = async (tty: boolean): Promise<string> => {
    const run = await part.source.exec(at("house"), { command: ["sh", "-c", script], stdin: false, tty });
    const said = (await text(run.stdout)).replaceAll("\r", "");
    await run.ended;
    return said;
  };
  for (const tty of [false, true]) {
    const said = await says(tty);
    assert.match(said, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    assert.match(said, /^CapEff:\s+0+$/m);
    assert.match(said, /^NoNewPrivs:\s+1$/m);
    assert.match(said, /^Seccomp:\s+2$/m);
    assert.doesNotMatch(said, /made/);
  }
});

void test("attach joins a container's input: with stdinOnce it ends with the client, and not before the first one came", async () => {
  const pod = await runs("once", { ...shell("cat; echo over; exit 3"), stdin: true, stdinOnce: true });
  const joined = await part.source.attach(at("once"), { stdin: true });
  const so = heard(joined);
  joined.stdin?.write("hello\n");
  await hears(so, /^hello\n$/);
  joined.stdin?.end("last");
  assert.equal(await joined.ended, 3);
  await hears(so, /^hello\nlastover\n$/);
  await podThat(where.client, "once", (each) => exitCodeOf(each) === 3);
  assert.equal(await logOf(part, "once"), "hello\nlastover\n");
  const { monitor } = await startedOf(pod.metadata.uid ?? "");
  await until("what held its input to end", async () => (await childrenOf(monitor.pid)).length === 0 || undefined);
});

void test("without stdinOnce a client that leaves ends nothing, and the next one goes on", async () => {
  await runs("again", { ...shell("while read -r line; do echo got $line; done"), stdin: true });
  for (const word of ["one", "two"]) {
    const joined = await part.source.attach(at("again"), { stdin: true });
    const so = heard(joined);
    joined.stdin?.write(`${word}\n`);
    await hears(so, new RegExp(`^got ${word}\n$`));
    joined.leave();
  }
  const silent = await part.source.attach(at("again"), { stdin: false });
  assert.equal(silent.stdin, undefined);
  silent.leave();
});

void test("a container with a terminal outlives the node: it goes on, all it says is in the log, and it can be attached to again", async () => {
  const pod = await runs("term", {
    ...shell("tty >/dev/null && echo on a terminal; while read -r line; do stty size; echo got $line; done"),
    stdin: true,
    tty: true,
  });
  const first = await part.source.attach(at("term"), { stdin: true });
  const so = heard(first);
  first.resize?.(111, 22);
  first.stdin?.write("one\n");
  await hears(so, /one\r\n22 111\r\ngot one\r\n/);
  first.leave();
  const { monitor, streams } = await startedOf(pod.metadata.uid ?? "");
  await part.stop();
  part = await where.start();
  await podThat(where.client, "term", (each) => conditionOf(each, "Ready") === "True");
  assert.ok(await isRunning(monitor));
  assert.ok(await isRunning(streams!.terminal!));
  const next = await until("to attach again", () =>
    part.source.attach(at("term"), { stdin: true }).catch(() => undefined),
  );
  const then = heard(next);
  next.stdin?.write("two\n");
  await hears(then, /got two\r\n/);
  // Ctrl-C reaches the program, as on any terminal.
  next.stdin?.write("\x03");
  assert.equal(await next.ended, 130);
  assert.match(
    await logOf(part, "term"),
    /^on a terminal\r\none\r\n22 111\r\ngot one\r\ntwo\r\n22 111\r\ngot two\r\n\^C/,
  );
  await until("the terminal's holder to end", async () => !(await isRunning(streams!.terminal!)) || undefined);
});

void test("ports are forwarded to the pod's loopback, else to its address; what is refused says where", async () => {
  const serve = (host: string, port: number) =>
    `require("net").createServer((s)=>s.end("at ${host}")).listen(${port},"${host}")`;
  await runs("ports", shell(`exec node -e '${serve("127.0.0.1", 81)};${serve("::1", 82)}'`));
  const pod = await runs(
    "outer",
    shell(`exec node -e 'require("net").createServer((s)=>s.end("outer")).listen(83, process.env.IP)'`),
    {
      containers: [
        {
          name: "main",
          ...shell(`exec node -e 'require("net").createServer((s)=>s.end("outer")).listen(83, process.env.IP)'`),
          env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
        },
      ],
    },
  );
  const says = async (name: string, port: number): Promise<string> => text(await part.source.forward(at(name), port));
  const answer = (name: string, port: number) => until(`port ${port}`, () => says(name, port).catch(() => undefined));
  assert.equal(await answer("ports", 81), "at 127.0.0.1");
  assert.equal(await answer("ports", 82), "at ::1");
  assert.equal(await answer("outer", 83), "outer");
  const refused = new RegExp(`dial tcp 127.0.0.1:9: connect: connection refused; .*${pod.status?.podIP}:9: connect`);
  await assert.rejects(says("outer", 9), refused);
  // This thread is where it was.
  assert.match(await readFile("/proc/self/net/dev", "utf8"), /fairlead0/);
});

void test("lines have the times at which they were said, across a restart of the node", async () => {
  const began = Date.now();
  const volumes = [{ name: "v", emptyDir: {} }];
  await runs(
    "timed",
    {
      ...shell("echo first; while ! [ -e /v/go ]; do sleep 0.05; done; echo second; sleep 1000"),
      volumeMounts: [{ name: "v", mountPath: "/v" }],
    },
    { volumes },
  );
  await until("the first line", async () => (await logOf(part, "timed")) !== "" || undefined);
  const between = Date.now();
  await part.stop();
  part = await where.start();
  await podThat(where.client, "timed", (each) => conditionOf(each, "Ready") === "True");
  const touch = await until("exec again", () =>
    part.source.exec(at("timed"), { command: ["touch", "/v/go"], stdin: false }).catch(() => undefined),
  );
  await touch.ended;
  await until("the second line", async () => /second/.test(await logOf(part, "timed")) || undefined);
  const end = Date.now();
  const stamped = await logOf(part, "timed", { timestamps: true });
  const [one, two] = [...stamped.matchAll(/^(\S+) (\w+)$/gm)].map(([, time = "", word]) => ({
    time: Date.parse(time),
    word,
  }));
  assert.deepEqual([one?.word, two?.word], ["first", "second"], stamped);
  assert.ok(one!.time >= began - 10 && one!.time <= between, stamped);
  assert.ok(two!.time >= between && two!.time <= end, stamped);
  assert.equal(await logOf(part, "timed", { since: between }), "second\n");
  assert.equal(await logOf(part, "timed", { since: one!.time }), "first\nsecond\n");
  assert.equal(await logOf(part, "timed", { since: end + 1000 }), "");
});

void test("a container that waits to be started again shows its last log, as the present one and as the previous", async () => {
  where.client.put(pods, podObject("loop", {}, shell("echo crash; exit 1")));
  await podThat(
    where.client,
    "loop",
    (each) => each.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
  );
  assert.equal(await logOf(part, "loop"), "crash\n");
  assert.equal(await logOf(part, "loop", { previous: true }), "crash\n");
  await assert.rejects(
    logOf(part, "house", { previous: true }),
    /previous terminated container "main" in pod "house" not found/,
  );
});

void test("nothing of exec or attach is left running", async () => {
  const mine = await childrenOf(process.pid);
  const names = await Promise.all(
    mine.map(async (pid) => [pid, await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")]),
  );
  assert.deepEqual(
    names.filter(([, name]) => /setpriv|nsenter|bwrap/.test(String(name))),
    [],
    "tools that wait for nobody",
  );
  assert.ok(rootless || (await identityOf(process.pid)) !== undefined);
});
