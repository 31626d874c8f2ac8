import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../src/observe/log.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { createCluster, type Answered, type Cluster } from "./cluster.ts";

const OBJECTS = 10_000;
/** More than are written while a list is read, fewer than are written afterwards. */
const REMEMBERED = 1200;

const directory = mkdtempSync(join(tmpdir(), "fairlead-paging-"));
let store: Store;
let cluster: Cluster;
before(async () => {
  const path = join(directory, "state.db");
  store = await openSqliteStore({ path, log: silentLog, historyChanges: REMEMBERED });
  // As they would be stored by as many requests, which would take longer than all the rest.
  const object = (name: string): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        namespace: "default",
        uid: `00000000-0000-4000-8000-0000000${name.slice(1)}`,
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: { half: Number(name.slice(1)) % 2 === 0 ? "even" : "odd" },
      },
      data: { text: "first" },
    });
  for (let at = 0; at < OBJECTS; at += 500) {
    const names = Array.from({ length: 500 }, (_, index) => `m${String(at + index).padStart(5, "0")}`);
    const written = await store.write(
      [],
      names.map((name) => ({ type: "put", key: `/registry/core/configmaps/default/${name}`, value: object(name) })),
    );
    assert.ok(written.ok);
  }
  cluster = await createCluster({ store });
});
after(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true });
});

const configMaps = "/api/v1/namespaces/default/configmaps";
const merge = { headers: { "content-type": "application/merge-patch+json" } };

const textOf = ({ body }: Answered): [string, string][] =>
  body.items.map((item: { metadata: { name: string }; data: { text: string } }) => [
    item.metadata.name,
    item.data.text,
  ]);

/** Writes that many changes: of objects before and behind what has been read, new ones, and ones that go. */
async function writeMuch(count: number, round: string): Promise<void> {
  for (let at = 0; at < count; at += 20) {
    const some = Array.from({ length: 20 }, (_, index) => at + index);
    await Promise.all(
      some.map(async (index) => {
        const old = `m${String((index * 37) % OBJECTS).padStart(5, "0")}`;
        const ways = [
          () => cluster.ask("PATCH", `${configMaps}/${old}`, { data: { text: round } }, merge),
          () => cluster.ask("POST", configMaps, { metadata: { name: `n-${round}-${index}` }, data: { text: round } }),
          () => cluster.ask("DELETE", `${configMaps}/${old}`),
        ];
        const { code, text } = await ways[index % 3]!();
        assert.ok([200, 201, 404].includes(code), text);
      }),
    );
  }
}

void test("SVC-200: ten thousand objects in pages of five hundred are one list, each page telling how many are left", async () => {
  const whole = await cluster.ask("GET", configMaps);
  assert.equal(whole.body.items.length, OBJECTS);
  const read: [string, string][] = [];
  let token = "";
  let pages = 0;
  do {
    const page = await cluster.ask("GET", `${configMaps}?limit=500&continue=${token}`);
    read.push(...textOf(page));
    pages += 1;
    const { metadata } = page.body;
    const left = OBJECTS - read.length;
    assert.equal(metadata.remainingItemCount, left === 0 ? undefined : left);
    assert.equal(metadata.resourceVersion, whole.body.metadata.resourceVersion);
    token = metadata.continue ?? "";
  } while (token !== "");
  assert.equal(pages, OBJECTS / 500);
  assert.deepEqual(read, textOf(whole));
});

void test("SVC-200: pages show one revision, whatever a thousand writes change between them; when it is forgotten, the rest is shown as it is now", async () => {
  const whole = textOf(await cluster.ask("GET", configMaps));
  const odd = textOf(await cluster.ask("GET", `${configMaps}?labelSelector=half%3Dodd`));
  const first = await cluster.ask("GET", `${configMaps}?limit=4000`);
  const { resourceVersion } = first.body.metadata;
  const firstOdd = await cluster.ask("GET", `${configMaps}?limit=2000&labelSelector=half%3Dodd`);
  assert.equal(firstOdd.body.metadata.remainingItemCount, undefined, "nobody counts what a selector leaves");
  await writeMuch(1000, "second");
  const second = await cluster.ask("GET", `${configMaps}?limit=4000&continue=${first.body.metadata.continue}`);
  assert.equal(second.body.metadata.remainingItemCount, OBJECTS - 8000);
  const third = await cluster.ask("GET", `${configMaps}?limit=4000&continue=${second.body.metadata.continue}`);
  for (const page of [second, third]) assert.equal(page.body.metadata.resourceVersion, resourceVersion);
  assert.equal(third.body.metadata.continue, undefined);
  assert.deepEqual([...textOf(first), ...textOf(second), ...textOf(third)], whole);
  const restOdd = await cluster.ask(
    "GET",
    `${configMaps}?labelSelector=half%3Dodd&continue=${firstOdd.body.metadata.continue}`,
  );
  assert.deepEqual([...textOf(firstOdd), ...textOf(restOdd)], odd);
  const exact = await cluster.ask("GET", `${configMaps}?resourceVersionMatch=Exact&resourceVersion=${resourceVersion}`);
  assert.deepEqual(textOf(exact), whole);

  await writeMuch(2000, "third");
  const late = await cluster.ask("GET", `${configMaps}?limit=4000&continue=${first.body.metadata.continue}`);
  assert.deepEqual([late.code, late.body.reason], [410, "Expired"]);
  const rest = await cluster.ask("GET", `${configMaps}?continue=${late.body.metadata.continue}`);
  const lastRead = textOf(first).at(-1)![0];
  const now = await cluster.ask("GET", configMaps);
  assert.deepEqual(
    textOf(rest),
    textOf(now).filter(([name]) => name > lastRead),
  );
  const tooOld = await cluster.ask(
    "GET",
    `${configMaps}?resourceVersionMatch=Exact&resourceVersion=${resourceVersion}`,
  );
  assert.deepEqual(
    [tooOld.code, tooOld.body.reason, tooOld.body.message],
    [410, "Expired", "The resourceVersion for the provided list is too old."],
  );
});
