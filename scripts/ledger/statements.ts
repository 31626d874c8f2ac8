/** One numbered sentence about what Kubernetes does. */
export interface Statement {
  /** `SVC-052` */
  readonly id: string;
  /** What it says, without its number, on one line. */
  readonly text: string;
}

/** How a statement's number looks, in the ledger and in the names of tests. */
export const STATEMENT_ID = /\b(?:SVC|PRX|DNS|CTL)-\d{3}\b/g;

const SENTENCE = /^- \*\*(?<id>[A-Z]{3}-\d{3})\*\* (?<text>.+)$/;
const ROW = /^\| (?<id>[A-Z]{3}-\d{3}) \| (?<text>.+) \|$/;

/** Reads a page of the ledger: `- **SVC-039** …` and table rows `| SVC-010 | … |`. Throws when a number is there twice. */
export function readStatements(page: string): Statement[] {
  const statements = page.split("\n").flatMap((line) => {
    const { id, text } = (SENTENCE.exec(line) ?? ROW.exec(line))?.groups ?? {};
    return id === undefined || text === undefined ? [] : [{ id, text: text.replaceAll(" | ", " · ") }];
  });
  const seen = new Set<string>();
  for (const { id } of statements) {
    if (seen.has(id)) throw new Error(`reading the ledger: ${id} is there twice, and should be there once`);
    seen.add(id);
  }
  return statements;
}
