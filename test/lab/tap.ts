import { equal, notEqual } from "node:assert/strict";
import type { TestContext } from "node:test";

/** What a run of tests on another machine said. */
export interface NestedRun {
  readonly status: number | null;
  /** In the Test Anything Protocol. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A test's line: whether it passed, its name, and why it was skipped. */
const RESULT = /^ *(ok|not ok) \d+ - (.*?)(?: # (SKIP|TODO)(.*))?$/gm;

/** Tells each test of a run as one of `t`'s own, under its own name. */
export async function tellNested(t: TestContext, { status, stdout, stderr }: NestedRun): Promise<void> {
  const results = [...stdout.matchAll(RESULT)];
  notEqual(results.length, 0, `no test ran: ${stdout}\n${stderr}`);
  for (const [, verdict, name = "", why, reason = ""] of results) {
    const skip = why === undefined ? false : reason.trim();
    await t.test(name.replaceAll(/\\([#\\])/g, "$1"), { skip }, () => equal(verdict, "ok"));
  }
  equal(status, 0, `${stdout}\n${stderr}`);
}
