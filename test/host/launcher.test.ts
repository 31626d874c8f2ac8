import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createLauncher, type Launcher } from "../../src/host/launcher.ts";
import { systemHost } from "../../src/host/processes.ts";
import { identityOf, signalProcess } from "../../src/host/process-identity.ts";
import { until } from "../lab/until.ts";

const host = systemHost();
let directory = "";
let launcher: Launcher;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "launcher-"));
  launcher = createLauncher(host);
});
after(async () => {
  await launcher.close();
  await rm(directory, { recursive: true });
});

async function launched(words: readonly string[]): Promise<{ pid: number; output: string; file: string }> {
  const name = Math.random().toString(36).slice(2);
  const [output, file, input] = ["log", "file", "input"].map((end) => join(directory, `${name}.${end}`));
  await writeFile(input!, "given\0");
  const environment = join(directory, `${name}.environment`);
  await writeFile(environment, "WEB_PORT=tcp://10.96.0.7:80\nODD_SERVICE_HOST=$(id) 'x' \\\n");
  const pid = await launcher.start("/bin/sh", words, {
    output: output!,
    file: file!,
    inputs: [input!, "/dev/null"],
    environment,
  });
  return { pid, output: output!, file: file! };
}
const textOf = (path: string): Promise<string> =>
  until("the program's end", async () => {
    const text = await readFile(path, "utf8");
    return text.endsWith("done\n") && text;
  });

test("a launched program has its words as they are, its files, and a session of its own", async () => {
  const words = ["$(id)", "a b", "", "'\"`\\ *", "é"];
  const script = 'printf "[%s]" "$@"; cat <&4; ps -o sid= -p $$; env; pwd; echo said >&3; echo done';
  const { pid, output, file } = await launched(["-c", script, "sh", ...words]);
  const [said, ...rest] = (await textOf(output)).split("\0");
  assert.equal(said, `${words.map((word) => `[${word}]`).join("")}given`);
  const [session, ...lines] = rest.join("").trim().split("\n");
  assert.equal(Number(session), pid);
  assert.deepEqual(
    lines.filter((line) => !/^(PATH|PWD|OLDPWD|_|SHLVL)=/.test(line)).toSorted((one, other) => (one < other ? -1 : 1)),
    ["/", "ODD_SERVICE_HOST=$(id) 'x' \\", "WEB_PORT=tcp://10.96.0.7:80", "done"],
  );
  assert.equal(await readFile(file, "utf8"), "said\n");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(output)).mode & 0o777, 0o600);
});

test("a launched program ignores no signal and has the default ones blocked by none", async () => {
  const { output } = await launched(["-c", "grep -E 'Sig(Ign|Blk)' /proc/self/status; echo done"]);
  assert.deepEqual((await textOf(output)).match(/[0-9a-f]{16}/g), ["0000000000000000", "0000000000000000"]);
});

test("words with line ends arrive whole", async () => {
  const words = ["one\ntwo\n", "\n\n", "three", "", " four\n"];
  const { output } = await launched(["-c", 'printf "[%s]" "$@"; echo done', "sh", ...words]);
  assert.equal(await textOf(output), `${words.map((word) => `[${word}]`).join("")}done\n`);
});

test("many are launched at once, each with its own id, and go on when the launcher is closed", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => launched(["-c", "exec sleep 1000"])));
  const living = await Promise.all(all.map(({ pid }) => identityOf(pid)));
  assert.equal(new Set(all.map(({ pid }) => pid)).size, 20);
  await launcher.close();
  const still = await Promise.all(all.map(({ pid }) => identityOf(pid)));
  assert.deepEqual(still, living);
  for (const identity of still) assert.ok(identity !== undefined && (await signalProcess(identity, "SIGKILL")));
  const { output } = await launched(["-c", "echo done"]);
  assert.equal(await textOf(output), "done\n", "a closed launcher begins anew");
});
