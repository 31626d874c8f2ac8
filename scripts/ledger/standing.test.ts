import assert from "node:assert/strict";
import { test } from "node:test";
import { conformancePage } from "./page.ts";
import { standings, type TestResult } from "./standing.ts";
import { readStatements } from "./statements.ts";

const PAGE =
  "# Ledger\n\n| id | x |\n|---|---|\n| SVC-001 | `a` | b |\n\n- **SVC-002** Two.\n- **SVC-003** Three.\n- **SVC-004** Four.\n";
const result = (name: string, outcome: TestResult["outcome"] = "passed"): TestResult => ({ name, file: "x", outcome });

void test("readStatements: sentences and table rows, each once", () => {
  assert.deepEqual(readStatements(PAGE), [
    { id: "SVC-001", text: "`a` · b" },
    { id: "SVC-002", text: "Two." },
    { id: "SVC-003", text: "Three." },
    { id: "SVC-004", text: "Four." },
  ]);
  assert.throws(() => readStatements("- **SVC-002** a\n- **SVC-002** b\n"), /SVC-002 is there twice/);
});

void test("standings: proved by a passing test, open without one or with a failing one, verdicts with their reason", () => {
  const found = standings(
    readStatements(PAGE),
    [result("SVC-001: a"), result("SVC-002, SVC-001: b"), result("SVC-002: c", "failed"), result("SVC-003: d")],
    {
      "SVC-003": { standing: "surpassed", why: "ours is faster" },
      "SVC-004": { standing: "not ours", why: "Windows" },
    },
  );
  assert.deepEqual(
    found.map(({ standing, tests, why }) => [standing, tests.length, why]),
    [
      ["proved", 2, ""],
      ["open", 1, "fails: SVC-002: c"],
      ["surpassed", 1, "ours is faster"],
      ["not ours", 0, "Windows"],
    ],
  );
  const skipped = standings(readStatements(PAGE), [result("SVC-001: a", "skipped")], {});
  assert.equal(skipped[0]?.why, "its tests were skipped in this run");
  assert.equal(skipped[1]?.why, "no test names it");
});

void test("standings: a surpassed statement without a passing test is open", () => {
  const [first] = standings(readStatements(PAGE), [], { "SVC-001": { standing: "surpassed", why: "x" } });
  assert.equal(first?.standing, "open");
});

void test("standings: what is known to be missing is open, though tests check the rest", () => {
  const [first] = standings(readStatements(PAGE), [result("SVC-001: a")], {
    "SVC-001": { standing: "open", why: "the other half" },
  });
  assert.deepEqual([first?.standing, first?.why, first?.tests.length], ["open", "the other half", 1]);
});

void test("standings: a name that is no statement is a fault", () => {
  assert.throws(() => standings(readStatements(PAGE), [result("SVC-999: x")], {}), /SVC-999 is named/);
});

void test("conformancePage: three numbers and what is open, and a mark for what the real server confirmed", () => {
  const found = standings(readStatements(PAGE), [result("SVC-001: a|b")], {
    "SVC-004": { standing: "not ours", why: "Windows" },
  });
  const page = conformancePage([{ title: "Services", standings: found }], { version: "v1", tests: ["SVC-001: a|b"] });
  assert.match(page, /^\| Services \| 1 \| 0 \| 1 \| 2 \| 1 \|$/m);
  assert.match(page, /^\| SVC-001 \| `a` · b \| proved ✓ \| SVC-001: a\\\|b \(x\) \|$/m);
  assert.match(page, /^\| SVC-004 \| Four\. \| not ours \| Windows \|$/m);
});
