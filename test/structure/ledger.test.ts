import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readStatements, STATEMENT_ID } from "../../scripts/ledger/statements.ts";
import { verdicts } from "../../scripts/ledger/verdicts.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = "docs/conformance.md";
/** Their names are about ledgers that they make up. */
const OWN_LEDGERS = ["scripts/ledger/standing.test.ts", "test/structure/ledger.test.ts"];
/** Statements that must each be named by a test, or judged: all of Services, of controllers, pods and Ingress, of names and variables, of proxies. */
const WHOLE: readonly [page: string, from: number, to: number][] = [
  ["service-api", 1, 999],
  ["controllers", 1, 168],
  ["dns-env", 1, 176],
  ["proxy", 1, 277],
];

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const statementsOf = (page: string): string[] => readStatements(read(page)).map(({ id }) => id);
const pages = globSync("docs/ledger/*.md", { cwd: ROOT });
const all = new Set(pages.flatMap(statementsOf));

/** String literals of a source text, comments left out: names of tests, whole or from a table. */
const literals = (source: string): string[] =>
  [...source.matchAll(/\/\/.*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g)]
    .map(([text]) => text)
    .filter((text) => !text.startsWith("/"));

/** Which test files name a statement. */
const namedBy = new Map<string, string[]>();
for (const file of globSync(["src/**/*.test.ts", "test/**/*.ts", "scripts/**/*.test.ts"], { cwd: ROOT })) {
  if (OWN_LEDGERS.includes(file)) continue;
  for (const id of new Set(literals(read(file)).flatMap((text) => text.match(STATEMENT_ID) ?? []))) {
    namedBy.set(id, [...(namedBy.get(id) ?? []), file]);
  }
}

void test("literals: strings of every kind, and nothing of comments", () => {
  assert.deepEqual(literals('a("x // y", `${b}: c`); // "SVC"\n/* "d" */ [\'e\', "f\\"g"]'), [
    '"x // y"',
    "`${b}: c`",
    "'e'",
    '"f\\"g"',
  ]);
});

void test("every number that a test or a verdict names is a statement", () => {
  const strangers = [...namedBy].filter(([id]) => !all.has(id)).map(([id, files]) => `${id} in ${files.join(", ")}`);
  assert.deepEqual(strangers, []);
  assert.deepEqual(
    Object.keys(verdicts).filter((id) => !all.has(id)),
    [],
  );
});

void test("every statement of what is built is named by a test, or judged", () => {
  const wanted = WHOLE.flatMap(([page, from, to]) =>
    statementsOf(`docs/ledger/${page}.md`).filter((id) => Number(id.slice(4)) >= from && Number(id.slice(4)) <= to),
  );
  assert.deepEqual(
    wanted.filter((id) => !namedBy.has(id) && verdicts[id]?.standing !== "not ours"),
    [],
  );
});

void test(
  "the page of conformance counts every statement once, and what it calls proved has a test",
  { skip: existsSync(join(ROOT, PAGE)) ? false : `${PAGE} is written by \`npm run ledger\`` },
  () => {
    const chapters = read(PAGE)
      .split(/^## /m)
      .slice(1)
      // The last one is of rows, not of statements.
      .filter((chapter) => !chapter.startsWith("The packet table"));
    const counts = [...read(PAGE).matchAll(/^\| ([^|]+?) ((?:\| \d+ ){4})\| \d+ \|$/gm)].map(
      ([, title, numbers]): [string, number[]] => [title!, numbers!.match(/\d+/g)!.map(Number)],
    );
    assert.equal(counts.length, pages.length);
    const rows = chapters.map((chapter): [string, [string, string][]] => [
      chapter.slice(0, chapter.indexOf("\n")),
      [
        ...chapter.matchAll(/^\| ([A-Z]{3}-\d{3}) \| (?:[^|\\]|\\.)*\| (proved|surpassed|not ours|open)(?: ✓)? \|/gm),
      ].map(([, id, standing]) => [id!, standing!]),
    ]);
    const STANDINGS = ["proved", "surpassed", "not ours", "open"];
    assert.deepEqual(
      rows.map(([title, found]) => [
        title,
        STANDINGS.map((standing) => found.filter(([, one]) => one === standing).length),
      ]),
      counts,
    );
    const listed = rows.flatMap(([, found]) => found);
    assert.deepEqual(listed.map(([id]) => id).sort(), [...all].sort());
    assert.deepEqual(
      listed.filter(([id, standing]) => standing === "proved" && !namedBy.has(id)).map(([id]) => id),
      [],
    );
  },
);
