import { STATEMENT_ID, type Statement } from "./statements.ts";

/** One test of a run, by its whole name. */
export interface TestResult {
  readonly name: string;
  /** Path in the repository. */
  readonly file: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

/** What was decided about a statement that is not simply proved. */
export type Verdict =
  /** We do more than Kubernetes; the test that names the statement shows ours. */
  | { readonly standing: "surpassed"; readonly why: string }
  | { readonly standing: "not ours"; readonly why: string }
  /** Some of it is missing, whatever tests name it: they check the rest. */
  | { readonly standing: "open"; readonly why: string };

export interface Standing {
  readonly statement: Statement;
  readonly standing: "proved" | "surpassed" | "not ours" | "open";
  /** The tests that show it. */
  readonly tests: readonly TestResult[];
  /** Why it is surpassed, not ours, or still open. */
  readonly why: string;
}

const named = (results: readonly TestResult[]): Map<string, TestResult[]> => {
  const byId = new Map<string, TestResult[]>();
  for (const result of results) {
    for (const id of new Set(result.name.match(STATEMENT_ID) ?? [])) byId.set(id, [...(byId.get(id) ?? []), result]);
  }
  return byId;
};

function standingOf(statement: Statement, tests: readonly TestResult[], verdict: Verdict | undefined): Standing {
  const passed = tests.filter(({ outcome }) => outcome === "passed");
  const failed = tests.filter(({ outcome }) => outcome === "failed");
  const open = (why: string): Standing => ({ statement, standing: "open", tests: passed, why });
  if (verdict?.standing === "not ours") return { statement, standing: "not ours", tests: passed, why: verdict.why };
  if (verdict?.standing === "open") return open(verdict.why);
  if (failed.length > 0) return open(`fails: ${failed[0]!.name}`);
  if (passed.length === 0) return open(tests.length > 0 ? "its tests were skipped in this run" : "no test names it");
  if (verdict !== undefined) return { statement, standing: "surpassed", tests: passed, why: verdict.why };
  return { statement, standing: "proved", tests: passed, why: "" };
}

/**
 * Where each statement stands after a run of the tests. Throws when a test or a verdict names a statement that there is not: it would
 * count for nothing.
 */
export function standings(
  statements: readonly Statement[],
  results: readonly TestResult[],
  verdicts: Readonly<Record<string, Verdict>>,
): Standing[] {
  const known = new Set(statements.map(({ id }) => id));
  const byId = named(results);
  const strangers = [...byId.keys(), ...Object.keys(verdicts)].filter((id) => !known.has(id));
  if (strangers.length > 0) {
    throw new Error(
      `judging the ledger: ${[...new Set(strangers)].join(", ")} is named, and is no statement of the ledger`,
    );
  }
  return statements.map((statement) => standingOf(statement, byId.get(statement.id) ?? [], verdicts[statement.id]));
}
