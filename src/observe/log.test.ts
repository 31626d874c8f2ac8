import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "./log.ts";

test("createLog: writes one JSON line a message with the part, bound facts, own facts and the sentence", () => {
  const lines: string[] = [];
  const log = createLog("proxy", "info", (line) => lines.push(line)).child({ node: "n1" });
  log.info({ service: "a/b" }, "programmed");
  assert.equal(lines.length, 1);
  assert.ok(lines[0]!.endsWith("\n"));
  const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(rest, { level: "info", part: "proxy", node: "n1", service: "a/b", message: "programmed" });
});

test("createLog: leaves out what is below its level, and writes an Error's words", () => {
  const lines: string[] = [];
  const log = createLog("dns", "warn", (line) => lines.push(line));
  log.debug({}, "no");
  log.info({}, "no");
  log.error({ error: new Error("broken") }, "failed");
  assert.equal(lines.length, 1);
  assert.equal((JSON.parse(lines[0]!) as { error: { message: string } }).error.message, "broken");
});
