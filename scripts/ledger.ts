/**
 * Writes docs/conformance.md from the last run of all tests: `npm run ledger` runs them first. `npm run judge` runs the conformance tests against
 * the real kube-apiserver that KUBE_APISERVER names and keeps which of them pass in docs/ledger/judged.json.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { conformancePage, type Chapter, type Judgement } from "./ledger/page.ts";
import type { PacketRun } from "./ledger/packets.ts";
import { standings, type TestResult } from "./ledger/standing.ts";
import { readStatements } from "./ledger/statements.ts";
import { verdicts } from "./ledger/verdicts.ts";

const ROOT = join(import.meta.dirname, "..");
const RESULTS = join(ROOT, "node_modules/.cache/fairlead-results.json");
/** What the packet table's runs have left, one an engine. */
const PACKETS = join(ROOT, "node_modules/.cache/fairlead-packets-*.json");
const JUDGED = join(ROOT, "docs/ledger/judged.json");
const CHAPTERS = [
  ["service-api", "Services and their kin in the API"],
  ["proxy", "The proxy"],
  ["dns-env", "DNS and the environment of pods"],
  ["controllers", "Controllers, pods, Ingress"],
] as const;

interface Run {
  /** Whether all tests were run. */
  readonly whole: boolean;
  readonly results: readonly TestResult[];
}

const { whole, results } = JSON.parse(readFileSync(RESULTS, "utf8")) as Run;

function judge(): void {
  const said = execFileSync(process.env["KUBE_APISERVER"] ?? "kube-apiserver", ["--version"], { encoding: "utf8" });
  const version = /v\d[\w.+-]*/.exec(said)?.[0] ?? said.trim();
  const tests = results.filter(({ outcome }) => outcome === "passed").map(({ name }) => name);
  writeFileSync(JUDGED, `${JSON.stringify({ version, tests: tests.sort() }, undefined, 2)}\n`);
  process.stdout.write(`${tests.length} tests pass on kube-apiserver ${version}\n`);
}

function writePage(): void {
  if (!whole) throw new Error(`writing docs/conformance.md: the last run was not of all tests; run \`npm run ledger\``);
  const pages = CHAPTERS.map(([page, title]) => ({
    title,
    statements: readStatements(readFileSync(join(ROOT, `docs/ledger/${page}.md`), "utf8")),
  }));
  const all = standings(
    pages.flatMap(({ statements }) => statements),
    results,
    verdicts,
  );
  const byId = new Map(all.map((standing) => [standing.statement.id, standing]));
  const chapters: Chapter[] = pages.map(({ title, statements }) => ({
    title,
    standings: statements.map(({ id }) => byId.get(id)!),
  }));
  const judgement = JSON.parse(readFileSync(JUDGED, "utf8")) as Judgement;
  const packets = globSync(PACKETS).map((path) => JSON.parse(readFileSync(path, "utf8")) as PacketRun);
  writeFileSync(join(ROOT, "docs/conformance.md"), conformancePage(chapters, judgement, packets));
  for (const { title, standings: found } of chapters) {
    const number = (standing: string): number => found.filter((one) => one.standing === standing).length;
    process.stdout.write(
      `${title}: ${number("proved")} proved, ${number("surpassed")} surpassed, ${number("not ours")} not ours, ${number("open")} open\n`,
    );
  }
}

if (process.argv.includes("--judge")) judge();
else writePage();
