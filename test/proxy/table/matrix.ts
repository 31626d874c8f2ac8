import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Outcome = "ok" | "instead" | "skipped" | "failed";

/** What one run of the table has shown of a row; family and protocol are empty for a test that chooses its own. */
export interface Note {
  readonly row: string;
  readonly family: string;
  readonly protocol: string;
  readonly outcome: Outcome;
  readonly why?: string;
}

const WORSE: readonly Outcome[] = ["ok", "instead", "skipped", "failed"];

/** Row × family × protocol of one engine, kept beside the other results of a run for docs/conformance.md. */
export class Matrix {
  readonly engine: string;
  readonly #notes = new Map<string, Note>();
  readonly #order = new Map<string, number>();
  readonly #file: string;

  /** `run` tells apart the files of a table that is taken in several runs. */
  constructor(engine: string, run: string) {
    this.engine = engine;
    this.#file = `fairlead-packets-${engine}${run === "all" ? "" : `-${run}`}.json`;
  }

  /** Rows are written in the order of these calls, whichever ends first. */
  expect(row: string): void {
    if (!this.#order.has(row)) this.#order.set(row, this.#order.size);
  }

  /** The worst that the callers of a cell have met stands, but a test that has ended replaces what it noted at its start. */
  note(row: string, family: string, protocol: string, outcome: Outcome, why?: string): void {
    const key = `${row}|${family}|${protocol}`;
    const before = this.#notes.get(key);
    const worst = family !== "" && before !== undefined && WORSE.indexOf(before.outcome) > WORSE.indexOf(outcome);
    const reason = outcome !== "ok" && why ? { why } : {};
    if (!worst) this.#notes.set(key, { row, family, protocol, outcome, ...reason });
  }

  /** Writes `fairlead-packets-ENGINE[-RUN].json` into FAIRLEAD_PACKETS, or where the results of a run are. */
  write(): void {
    const folder = process.env["FAIRLEAD_PACKETS"] ?? join(import.meta.dirname, "../../../node_modules/.cache");
    mkdirSync(folder, { recursive: true });
    const place = ({ row }: Note): number => this.#order.get(row) ?? this.#order.size;
    const cell = ({ protocol, family }: Note): string => `${protocol} ${family}`;
    const rows = [...this.#notes.values()].toSorted(
      (one, other) => place(one) - place(other) || (cell(one) < cell(other) ? -1 : 1),
    );
    const text = JSON.stringify({ engine: this.engine, rows });
    writeFileSync(join(folder, this.#file), `${text}\n`);
  }
}
