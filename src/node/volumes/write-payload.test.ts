import assert from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Payload } from "./payload.ts";
import { modeFor, writePayload } from "./write-payload.ts";

const NOBODY = { user: undefined, group: undefined };
const files = (content: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(content).map(([path, text]) => [path, { content: Buffer.from(text), mode }]));
async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "fairlead-payload-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, "volume");
}
const shown = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter((name) => !name.startsWith(".."));

test("files are links through one name, which an update turns to the next state", async (t) => {
  const directory = await scratch(t);
  assert.equal(await writePayload(directory, files({ a: "1", "deep/b": "2" }), NOBODY), true);
  assert.deepEqual((await shown(directory)).sort(), ["a", "deep"]);
  assert.equal(await readlink(join(directory, "a")), "..data/a");
  assert.equal(await readFile(join(directory, "deep/b"), "utf8"), "2");
  const first = await readlink(join(directory, "..data"));
  const link = await lstat(join(directory, "a"));
  assert.equal(await writePayload(directory, files({ a: "3", c: "4" }), NOBODY), true);
  assert.notEqual(await readlink(join(directory, "..data")), first);
  assert.deepEqual((await shown(directory)).sort(), ["a", "c"]);
  assert.equal(await readFile(join(directory, "a"), "utf8"), "3");
  assert.equal((await lstat(join(directory, "a"))).ino, link.ino, "the link itself stays");
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.startsWith("..")).length,
    2,
    "the state before is gone",
  );
});

test("nothing is written when nothing differs, and a mode alone is a difference", async (t) => {
  const directory = await scratch(t);
  await writePayload(directory, files({ a: "1" }), NOBODY);
  const { ino } = await stat(join(directory, "a"));
  assert.equal(await writePayload(directory, files({ a: "1" }), NOBODY), false);
  assert.equal((await stat(join(directory, "a"))).ino, ino);
  assert.equal(await writePayload(directory, files({ a: "1" }, 0o600), NOBODY), true);
  assert.equal((await stat(join(directory, "a"))).mode & 0o777, 0o600);
});

test("what a death left half-way is made whole", async (t) => {
  const directory = await scratch(t);
  await writePayload(directory, files({ a: "1" }), NOBODY);
  await mkdir(join(directory, "..torn"));
  await symlink("..torn", join(directory, "..data_tmp"));
  await rm(join(directory, "a"));
  assert.equal(await writePayload(directory, files({ a: "1" }), NOBODY), true);
  assert.equal(await readFile(join(directory, "a"), "utf8"), "1");
  await writePayload(directory, files({ a: "2" }), NOBODY);
  assert.equal((await readdir(directory)).filter((name) => name.startsWith("..")).length, 2);
});

test("plain files of an earlier layout give way to links", async (t) => {
  const directory = await scratch(t);
  await mkdir(directory);
  await writeFile(join(directory, "a"), "old");
  await writePayload(directory, files({ a: "new" }), NOBODY);
  assert.equal(await readFile(join(directory, "a"), "utf8"), "new");
  assert.equal(await readlink(join(directory, "a")), "..data/a");
});

test("an empty payload is an empty volume", async (t) => {
  const directory = await scratch(t);
  await writePayload(directory, files({ a: "1" }), NOBODY);
  await writePayload(directory, files({}), NOBODY);
  assert.deepEqual(await shown(directory), []);
});

test("with a group of the pod's own, that may read", () => {
  assert.equal(modeFor(0o600, { user: undefined, group: 5 }), 0o640);
  assert.equal(modeFor(0o600, NOBODY), 0o600);
});
