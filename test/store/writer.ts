// The process that the kill test kills: writes as fast as it can, and reports each acknowledged write as a line
// "WRITER TURN REVISION" on descriptor 1, which is a file and so survives it.
import { writeSync } from "node:fs";
import { silentLog } from "../../src/observe/log.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Operation } from "../../src/store/store.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: writer.ts FILE");

const store = await openSqliteStore({ path, log: silentLog, historyChanges: 500 });

/** Each turn puts the same value under two keys and takes back the two of the turn before the last. */
const work = async (writer: number): Promise<void> => {
  const { entries } = await store.list(`/left/${writer}/`);
  const turns = entries.map((entry) => Number(entry.key.split("/").at(-1)));
  for (let turn = Math.max(0, ...turns) + 1; ; turn++) {
    const left = `/left/${writer}/${turn}`;
    const right = `/right/${writer}/${turn}`;
    const value = JSON.stringify({ turn, padding: "x".repeat(turn % 3000) });
    const operations: Operation[] = [
      { type: "put", key: left, value },
      { type: "delete", key: `/left/${writer}/${turn - 2}` },
      { type: "put", key: right, value },
      { type: "delete", key: `/right/${writer}/${turn - 2}` },
    ];
    const result = await store.write([{ key: left, absent: true }], operations);
    if (!result.ok) throw new Error(`${left} was there`);
    writeSync(1, `${writer} ${turn} ${result.revision}\n`);
  }
};

await Promise.all(Array.from({ length: 12 }, (_, writer) => work(writer)));
