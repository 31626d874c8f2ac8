// Fills the small file system DIRECTORY until the store cannot write, checks what is left, makes room and goes on.
// Prints "ok" and the sentence of the refusal. Run by the disk-full test in a mount namespace of its own.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "../../src/observe/log.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { put } from "./contract/example.ts";
import { checkPromises, record } from "./watching.ts";

const directory = process.argv[2];
if (directory === undefined) throw new Error("usage: fill.ts DIRECTORY");
const ballast = join(directory, "ballast");
writeFileSync(ballast, Buffer.alloc(2_000_000));

const store = await openSqliteStore({ path: join(directory, "store.db"), log: silentLog });
const start = await store.revision();
const watch = await record(store, "/", start);
const acknowledged: number[] = [];
let refusal: string | undefined;
for (let turn = 0; refusal === undefined; turn++) {
  const names = Array.from({ length: 5 }, (_, at) => turn * 5 + at);
  const writes = names.map(async (name) => {
    await store.write([], [put(`/left/${name}`, "x".repeat(20_000)), put(`/right/${name}`, "")]);
    acknowledged.push(name);
  });
  for (const result of await Promise.allSettled(writes))
    if (result.status === "rejected") refusal = String(result.reason);
}
const count = async (prefix: string): Promise<number> => (await store.list(prefix)).entries.length;
assert.equal(await count("/left/"), acknowledged.length);
assert.equal(await count("/right/"), acknowledged.length);
const revision = await store.revision();
assert.equal(revision, start + acknowledged.length);
await assert.rejects(store.write([], [put("/more", "x".repeat(3_000_000))]), /full/);
rmSync(ballast);
assert.deepEqual(await store.write([], [put("/more", "x".repeat(20_000))]), { ok: true, revision: revision + 1 });
await watch.reached(revision + 1);
checkPromises(watch, "/", start);
assert.equal(watch.events().length, 2 * acknowledged.length + 1);
await store.close();
console.log(`ok: ${refusal}`);
