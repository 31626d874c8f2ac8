import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const unshare = (...command: readonly string[]) =>
  spawnSync("unshare", ["--map-root-user", "--mount", ...command], { encoding: "utf8", timeout: 60_000 });

void test("sqlite: a full disk refuses writes with a sentence, keeps what was acknowledged, and is taken again when there is room", (t) => {
  if (unshare("true").status !== 0) return t.skip("this user may make no mount namespace");
  const directory = mkdtempSync(join(tmpdir(), "fairlead-full-"));
  try {
    const script = 'mount -t tmpfs -o size=6m tmpfs "$1" && exec "$2" "$3" "$1"';
    const fill = join(import.meta.dirname, "fill.ts");
    const { status, stdout, stderr } = unshare("sh", "-c", script, "sh", directory, process.execPath, fill);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^ok: Error: writing to the store .*store\.db: database or disk is full\n$/);
  } finally {
    rmdirSync(directory);
  }
});
