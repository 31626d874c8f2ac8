/**
 * Runs the tests: the pure ones in one process, then the ones that need processes and namespaces, file by file.
 * Prints how many there were, and keeps what became of each for the ledger. Started by bin/test, which makes the namespaces.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import type { TestResult } from "./ledger/standing.ts";

const given = process.argv.slice(2).filter((argument) => argument !== "--soak");
if (process.argv.includes("--soak")) process.env["FAIRLEAD_SOAK"] = "1";

const systems = globSync("test/**/*.test.ts").sort();
const units = globSync("{src,scripts}/**/*.test.ts").sort();
/** Whether a test file asks for counts that are longer in a soak. */
const hasLongCounts = (file: string): boolean => readFileSync(file, "utf8").includes("lab/counts.ts");

function chosen(files: string[]): string[] {
  if (given.length > 0) return files.filter((file) => given.some((word) => file.includes(word)));
  return process.argv.includes("--soak") ? files.filter(hasLongCounts) : files;
}

const cache = join(import.meta.dirname, "../node_modules/.cache");
const whole = given.length === 0 && !process.argv.includes("--soak");
// What an earlier run says of an engine that is not here now would pass for this run's.
if (whole) for (const path of globSync(join(cache, "fairlead-packets-*.json"))) rmSync(path);

let passed = 0;
let failed = 0;
let skipped = 0;
const results: TestResult[] = [];
const keep = (name: string, file: string | undefined, outcome: TestResult["outcome"]): void => {
  results.push({ name, file: relative(process.cwd(), file ?? ""), outcome });
};

async function suite(files: string[], isolation: "none" | "process", concurrency: number): Promise<void> {
  if (files.length === 0) return;
  const stream = run({ files, isolation, ...(isolation === "none" ? {} : { concurrency }), timeout: 600_000 });
  stream.on("test:pass", (event) => {
    if (event.details.type === "suite") return;
    const isSkipped = event.skip !== undefined;
    if (isSkipped) skipped += 1;
    else passed += 1;
    keep(event.name, event.file, isSkipped ? "skipped" : "passed");
  });
  stream.on("test:fail", (event) => {
    if (event.details.type === "suite") return;
    failed += 1;
    keep(event.name, event.file, "failed");
  });
  const printed = stream.compose(spec);
  for await (const text of printed) process.stdout.write(String(text));
}

await suite(chosen(units), "none", 1);
/** Each of these has servers, or a network, of its own and waits for nothing but answers, so two cores can carry two of them. */
const TWO_AT_A_TIME = ["test/conformance/", "test/proxy/"];
const inPairs = chosen(systems).filter((file) => TWO_AT_A_TIME.some((folder) => file.startsWith(folder)));
await suite(inPairs, "process", 2);
await suite(
  chosen(systems).filter((file) => !inPairs.includes(file)),
  "process",
  1,
);
mkdirSync(cache, { recursive: true });
writeFileSync(join(cache, "fairlead-results.json"), JSON.stringify({ whole, results }));
process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
process.exit();
