import assert from "node:assert/strict";
import { test } from "node:test";
import type { Retry } from "../../../settings/settings.ts";
import { triesAgain, type FailedTry } from "./retry.ts";

const retry: Retry = { on: new Set(["error", "timeout"]), nonIdempotent: false, tries: 3, timeout: 0 };
const failed: FailedTry = {
  reason: "error",
  method: "GET",
  isUnseen: false,
  tries: 1,
  elapsed: 10,
  hasOther: true,
  isRepeatable: true,
};

test("a request is tried again for the reasons, as often and as long as its route says", () => {
  const cases: [string, boolean, Partial<FailedTry>, Partial<Retry>?][] = [
    ["a broken connection", true, {}],
    ["the last try", false, { tries: 3 }],
    ["a reason that is not named", false, { reason: "http_503" }],
    ["one that is", true, { reason: "http_503" }, { on: new Set(["http_503"]) }],
    ["a body that is gone", false, { isRepeatable: false }],
    ["a POST that may have been acted on", false, { method: "POST" }],
    ["a POST that nobody has seen", true, { method: "POST", isUnseen: true }],
    ["a POST where it may be", true, { method: "POST" }, { nonIdempotent: true }],
    ["a DELETE", true, { method: "DELETE" }],
    ["too late", false, { elapsed: 1000, tries: 2 }, { timeout: 1000 }],
    ["in time", true, { elapsed: 999, tries: 2 }, { timeout: 1000 }],
    ["as many as there are", true, { tries: 7 }, { tries: 0 }],
    ["no more than there are", false, { tries: 7, hasOther: false }, { tries: 0 }],
    ["a kept connection that was closed, by one endpoint alone", true, { hasOther: false }, { tries: 0 }],
    ["the same with retries off", false, {}, { on: new Set() }],
    ["the same where only others are named", true, {}, { on: new Set(["http_503"]) }],
    ["but once", false, { tries: 2 }, { on: new Set(["http_503"]) }],
    ["nobody to connect to, with retries off", false, { isUnseen: true }, { on: new Set() }],
  ];
  for (const [what, again, some, also] of cases) {
    assert.equal(triesAgain({ ...retry, ...also }, { ...failed, ...some }), again, what);
  }
});
