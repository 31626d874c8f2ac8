import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../../observe/log.ts";
import { createQueryLog } from "./query-log.ts";

const clock = { now: () => 0, after: () => () => {} };

void test("the log is off while no server has rules, no names are wanted and no pod is: nobody is looked up then", () => {
  let hasRules = false;
  let isAnyLogged = false;
  const queryLog = createQueryLog({
    log: silentLog,
    clock,
    hasRules: () => hasRules,
    clients: {
      get isAnyLogged() {
        return isAnyLogged;
      },
      of: () => assert.fail("a client was looked up"),
    },
  });
  assert.equal(queryLog.isOn, false);
  isAnyLogged = true;
  assert.equal(queryLog.isOn, true);
  isAnyLogged = false;
  queryLog.setNames(["example.org"]);
  assert.equal(queryLog.isOn, true);
  queryLog.setNames([]);
  assert.equal(queryLog.isOn, false);
  hasRules = true;
  assert.equal(queryLog.isOn, true);
});

void test("without clients it is off; where nobody tells whether a pod is wanted, it is on", () => {
  const hasRules = (): boolean => false;
  assert.equal(createQueryLog({ log: silentLog, clock, hasRules }).isOn, false);
  const clients = { of: () => undefined };
  assert.equal(createQueryLog({ log: silentLog, clock, hasRules, clients }).isOn, true);
});
