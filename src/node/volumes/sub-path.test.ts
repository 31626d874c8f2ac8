import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { subPathOf } from "./sub-path.ts";

async function volume(t: TestContext): Promise<{ root: string; beside: string }> {
  const base = await mkdtemp(join(tmpdir(), "fairlead-sub-path-"));
  t.after(() => rm(base, { recursive: true, force: true }));
  const [root, beside] = [join(base, "volume"), join(base, "beside")];
  await mkdir(root, { mode: 0o750 });
  await mkdir(beside);
  await mkdir(join(root, "inner"));
  await writeFile(join(root, "file"), "");
  await symlink("inner", join(root, "link"));
  await symlink(beside, join(root, "out"));
  await symlink("../beside", join(root, "up"));
  return { root, beside };
}

test("what is there is found, links within the volume followed", async (t) => {
  const { root } = await volume(t);
  assert.equal(await subPathOf(root, "file", true), join(root, "file"));
  assert.equal(await subPathOf(root, "link", true), join(root, "inner"));
});

test("what is missing is made, with the volume's mode, where the volume may be written", async (t) => {
  const { root } = await volume(t);
  assert.equal(await subPathOf(root, "link/a/b", true), join(root, "inner/a/b"));
  assert.equal((await stat(join(root, "inner/a/b"))).mode & 0o777, (await stat(root)).mode & 0o777);
  await assert.rejects(subPathOf(root, "none", false), /its volume has nothing of that name/);
});

test("nothing outside of the volume is found or made", async (t) => {
  const { root, beside } = await volume(t);
  for (const part of ["out", "up", "out/made", "up/made"]) {
    for (const mayMake of [true, false]) {
      await assert.rejects(subPathOf(root, part, mayMake), /leads out of its volume/, part);
    }
  }
  assert.deepEqual(await readdir(beside), []);
});
