import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeTerminal, runOnTerminal, type TerminalProgram } from "../../src/host/terminal.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { kubectls, type Kubectl } from "../lab/kubectls.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest } from "./fixtures.ts";

const found = kubectls().filter(({ minor }) => minor === 20 || minor === 32);
const pod = (name: string, script: string, more: object = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "main", command: ["sh", "-c", script] }], ...more },
});

const SERVER = `exec node -e 'require("http").createServer((q,s)=>s.end("inside "+q.url)).listen(8080,"127.0.0.1")'`;
const OBJECTS = [
  pod("house", SERVER),
  pod("talk", "for i in 1 2 3; do echo line $i; sleep 1.1; done", { restartPolicy: "Never" }),
  pod("crash", "echo crash on $HOSTNAME; exit 1"),
  pod("staged", "echo main; sleep 1000", {
    initContainers: [{ name: "first", command: ["sh", "-c", "echo from init"] }],
  }),
];

/** What people do with kubectl to a pod's programs, by the oldest and the newest kubectl that is promised. */
describe("streams", { skip: found.length === 0 ? "neither kubectl 1.20 nor 1.32 is there" : false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await createLab();
  });
  after(() => lab.close());

  for (const site of ["root", "ordinary user"] as const) {
    describe(`as ${site}`, () => {
      let host: LabHost;
      let fairlead: Fairlead;
      before(async () => {
        host = await lab.add(site === "root" ? "h1" : "h2");
        fairlead = await bringUp(host, {
          ordinary: site !== "root",
          files: [manifest(host, "pods.yaml", OBJECTS)],
        });
      });
      after(() => fairlead.end());
      for (const kubectl of found) {
        const at = `kubectl ${kubectl.version}`;
        void test(
          `${at}: run --rm -it attaches, runs, brings the exit code back and deletes`,
          { timeout: 120_000 },
          () => runs(host, fairlead, kubectl),
        );
        void test(`${at}: exec -it`, { timeout: 120_000 }, () => execs(host, fairlead, kubectl));
        void test(`${at}: cp both ways, folders and 100 MB`, { timeout: 240_000 }, () =>
          copies(host, fairlead, kubectl),
        );
        void test(`${at}: port-forward to a program on the loopback`, { timeout: 120_000 }, () =>
          forwards(host, fairlead, kubectl),
        );
        void test(`${at}: logs`, { timeout: 120_000 }, () => logs(fairlead, kubectl));
      }
    });
  }
});

interface Screen extends TerminalProgram {
  readonly seen: () => string;
  shows(words: RegExp): Promise<void>;
}

/** kubectl on a terminal of its own, as a person has it. */
async function onTerminal(
  host: LabHost,
  fairlead: Fairlead,
  kubectl: Kubectl,
  args: readonly string[],
): Promise<Screen> {
  const command = [...host.into, kubectl.path, "--kubeconfig", fairlead.kubeconfig, ...args];
  const program = await runOnTerminal(
    "setsid",
    ["--ctty", ...command],
    makeTerminal("/dev/ptmx", { user: -1, group: -1 }),
    { env: { PATH: process.env["PATH"]!, HOME: host.scratch, TERM: "xterm" }, inputs: [] },
  );
  let text = "";
  program.shown.on("data", (chunk: Buffer) => (text += chunk.toString()));
  program.resize(88, 33);
  return {
    ...program,
    seen: () => text,
    shows: async (words) => {
      await until(`${words} on the screen`, () => words.test(text) || undefined, { seconds: 60 }).catch(
        (cause: unknown) => {
          throw new Error(`${words} is not on the screen: ${JSON.stringify(text)}`, { cause });
        },
      );
    },
  };
}

async function runs(host: LabHost, fairlead: Fairlead, kubectl: Kubectl): Promise<void> {
  const name = `person-${kubectl.minor}`;
  const args = ["run", name, "-it", "--rm", "--image=x", "--restart=Never", "--command", "--", "sh"];
  const person = await onTerminal(host, fairlead, kubectl, args);
  await person.shows(/press(ing)? enter/);
  person.typed.write("hostname\r");
  await person.shows(new RegExp(`${name}\r\n`));
  // The window's size follows the client's streams.
  await until("the window's size", async () => {
    person.typed.write("stty size\r");
    await new Promise((resolve) => setTimeout(resolve, 100));
    return person.seen().includes("33 88\r\n") || undefined;
  });
  person.typed.write("exit 7\r");
  assert.equal(await person.ended, 7, person.seen());
  assert.match(person.seen(), new RegExp(`pod "${name}" deleted`));
  const { stderr } = await fairlead.kubectl(kubectl.path, ["get", "pod", name]);
  assert.match(stderr, /not found/);
  // Without a terminal: what is piped in is read, and its end is the program's.
  const piped = [
    "run",
    `piped-${kubectl.minor}`,
    "-i",
    "--rm",
    "--image=x",
    "--restart=Never",
    "--quiet",
    "--command",
    "--",
    "cat",
  ];
  const {
    code,
    stdout,
    stderr: said,
  } = await fairlead.kubectl(kubectl.path, piped, { input: "a line\n", timeout: 60_000 });
  assert.equal(code, 0, said);
  assert.match(stdout, /^a line\n/);
}

async function execs(host: LabHost, fairlead: Fairlead, kubectl: Kubectl): Promise<void> {
  const person = await onTerminal(host, fairlead, kubectl, ["exec", "-it", "house", "--", "bash", "--norc"]);
  await person.shows(/\$ /);
  person.typed.write("hostname; echo term=$TERM; stty size; tty\r");
  await person.shows(/house\r\nterm=xterm\r\n33 88\r\n\/dev\/pts\/\d+\r\n/);
  person.typed.write("exit 7\r");
  assert.equal(await person.ended, 7);
  const { code } = await fairlead.kubectl(kubectl.path, ["exec", "house", "--", "sh", "-c", "exit 7"]);
  assert.equal(code, 7);
}

async function copies(host: LabHost, fairlead: Fairlead, kubectl: Kubectl): Promise<void> {
  const ok = async (...args: string[]): Promise<void> => {
    const { code, stderr, stdout } = await fairlead.kubectl(kubectl.path, args, { timeout: 120_000 });
    assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}${stdout}`);
  };
  const at = (name: string): string => join(host.scratch, `${kubectl.minor}-${name}`);
  const there = `/tmp/${kubectl.minor}`;
  mkdirSync(join(at("tree"), "deep/er"), { recursive: true });
  writeFileSync(join(at("tree"), "deep/er/file"), "deep\n");
  writeFileSync(join(at("tree"), "top"), "top\n");
  symlinkSync("top", join(at("tree"), "link"));
  writeFileSync(at("big"), randomBytes(100 * 1024 * 1024));
  await ok("cp", at("tree"), `default/house:${there}-tree`);
  await ok("cp", `default/house:${there}-tree`, at("back"));
  assert.equal(readFileSync(join(at("back"), "deep/er/file"), "utf8"), "deep\n");
  assert.equal(readFileSync(join(at("back"), "top"), "utf8"), "top\n");
  await ok("cp", at("big"), `house:${there}-big`);
  await ok("cp", `house:${there}-big`, at("big-back"));
  assert.ok(readFileSync(at("big")).equals(readFileSync(at("big-back"))), "100 MB came back as they went");
  await ok("exec", "house", "--", "rm", `${there}-big`);
  // Whether kubectl reads what tar says before it ends is left to chance; nothing comes of it in any case.
  await fairlead.kubectl(kubectl.path, ["cp", "house:/tmp/nothing", at("none")]);
  assert.ok(!existsSync(at("none")));
}

async function forwards(host: LabHost, fairlead: Fairlead, kubectl: Kubectl): Promise<void> {
  const forward = await host.open("env", [
    kubectl.path,
    "--kubeconfig",
    fairlead.kubeconfig,
    "port-forward",
    "house",
    ":8080",
  ]);
  let text = "";
  for (const stream of [forward.stdout, forward.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const port = await until("kubectl to listen", () => /127\.0\.0\.1:(\d+) ->/.exec(text)?.[1]);
  const call = (path: string) => host.run("curl", ["-s", "--max-time", "20", `http://127.0.0.1:${port}/${path}`]);
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => call(String(index))));
  assert.deepEqual(
    answers.map(({ stdout }) => stdout),
    answers.map((_, index) => `inside /${index}`),
  );
  forward.kill();
  await forward.ended;
}

async function logs(fairlead: Fairlead, kubectl: Kubectl): Promise<void> {
  const says = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await fairlead.kubectl(kubectl.path, ["logs", ...args], { timeout: 60_000 });
    assert.equal(code, 0, `kubectl logs ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  assert.equal(await says("talk", "-f"), "line 1\nline 2\nline 3\n");
  assert.equal(await says("talk", "--tail=1"), "line 3\n");
  const stamped = await says("talk", "--timestamps");
  const times = [...stamped.matchAll(/^(\S+) line \d$/gm)].map(([, time = ""]) => Date.parse(time));
  assert.equal(times.length, 3, stamped);
  // The program waits 1.1 s between its lines, and a busy machine longer.
  assert.ok(times[1]! - times[0]! >= 1_050 && times[2]! - times[1]! >= 1_050, stamped);
  // kubectl hands whole seconds on.
  const second = new Date(times[1]!).toISOString();
  assert.equal(await says("talk", `--since-time=${second}`), "line 2\nline 3\n");
  assert.equal(await says("talk", "--since=1h"), "line 1\nline 2\nline 3\n");
  assert.equal(await says("talk", "--limit-bytes=9"), "line 1\nli");
  assert.equal(await until("a restart", () => says("crash", "--previous").catch(() => undefined)), "crash on crash\n");
  assert.equal(await says("staged", "-c", "first"), "from init\n");
  assert.match(await says("staged", "--all-containers"), /from init\n/);
}
