import assert from "node:assert/strict";
import { test } from "node:test";
import { Counts, readCounts } from "./counts.ts";

const said = (door: number, b1: number, b2: number): string =>
  `# pxname,svname,scur,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,\nin,FRONTEND,0,0,${door},0,3,0,0,\nb1,BACKEND,0,0,${b1},0,0,0,0,\nbehind,BACKEND,0,0,${b2},0,0,0,0,\n\n`;
const owners = new Map([["b1", "default/web:80"]]);

void test("answers are the backend's that gave them, what is left is the door's own, and new workers add to it", () => {
  const counts = new Counts();
  const add = (door: number, b1: number, behind: number): void =>
    counts.add(readCounts(said(door, b1, behind)), "in", (section) => owners.get(section));
  add(10, 6, 4);
  add(12, 8, 4);
  const web = { backend: "default/web:80", status: "2xx", requests: 8 };
  assert.deepEqual(counts.all(), [web, { backend: undefined, status: "4xx", requests: 3 }]);
  counts.restart();
  owners.set("b1", "default/other:80");
  add(5, 5, 0);
  assert.deepEqual(counts.all(), [
    web,
    { backend: undefined, status: "4xx", requests: 6 },
    { backend: "default/other:80", status: "2xx", requests: 5 },
  ]);
});

void test("text that is no table counts nothing", () => {
  for (const text of ["", "\n", "Unknown command\n", "# pxname\nin\n"]) assert.doesNotThrow(() => readCounts(text));
});
