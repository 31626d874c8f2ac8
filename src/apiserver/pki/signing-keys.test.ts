import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { newSigningKey, readSigningKey, readVerifyingKey } from "../tokens/keys.ts";
import { ensureSigningKeys } from "./signing-keys.ts";

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "fairlead-signing-"));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}
const idOf = (pem: string): string => readSigningKey(pem).id;
const idsOf = (pems: readonly string[]): string[] => pems.map((pem) => readVerifyingKey(pem).id);

void test("ensureSigningKeys: makes a key once, keeps it to its owner, and believes it", async (t) => {
  const directory = await folder(t);
  const first = await ensureSigningKeys(directory);
  assert.deepEqual(idsOf(first.verifying), [idOf(first.signing)]);
  for (const file of ["sa.key", "sa.pub"]) assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600);
  assert.deepEqual(await ensureSigningKeys(directory), first);
});

void test("ensureSigningKeys: a key that is removed or replaced is believed on, until it is taken from sa.pub", async (t) => {
  const directory = await folder(t);
  const first = await ensureSigningKeys(directory);
  await rm(join(directory, "sa.key"));
  const second = await ensureSigningKeys(directory);
  assert.notEqual(idOf(second.signing), idOf(first.signing));
  assert.deepEqual(idsOf(second.verifying), [idOf(first.signing), idOf(second.signing)]);
  const own = newSigningKey();
  await writeFile(join(directory, "sa.key"), own);
  const third = await ensureSigningKeys(directory);
  assert.equal(third.signing, own);
  assert.deepEqual(idsOf(third.verifying), [...idsOf(second.verifying), idOf(own)]);
  await writeFile(join(directory, "sa.pub"), "");
  assert.deepEqual(idsOf((await ensureSigningKeys(directory)).verifying), [idOf(own)]);
});

void test("ensureSigningKeys: what cannot be read is refused with its file, and left as it is", async (t) => {
  const directory = await folder(t);
  await ensureSigningKeys(directory);
  const path = join(directory, "sa.key");
  await writeFile(path, "no key");
  await assert.rejects(ensureSigningKeys(directory), (error: Error) => error.message.includes(path));
  assert.equal(await readFile(path, "utf8"), "no key");
});
