import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ensureAdminToken } from "./token.ts";

test("ensureAdminToken: makes a token once, keeps it to its owner, and knows no other", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "fl-token-"));
  context.after(() => rm(directory, { recursive: true }));
  const first = await ensureAdminToken(directory);
  const token = (await readFile(join(directory, "admin.token"), "utf8")).trim();
  assert.ok(token.length >= 43);
  assert.equal((await stat(join(directory, "admin.token"))).mode & 0o777, 0o600);
  assert.equal(first(token)?.user, "kubernetes-admin");
  assert.equal(first(`${token}x`), undefined);
  assert.equal(first(""), undefined);
  const second = await ensureAdminToken(directory);
  assert.equal(second(token)?.user, "kubernetes-admin");
});
