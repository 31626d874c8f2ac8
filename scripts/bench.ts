/** Runs the benchmarks, all or those whose name has one of the given words, one after another. Started by bin/bench. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { cpus, totalmem, release } from "node:os";

const given = process.argv.slice(2);
const files = globSync("bench/*.bench.ts")
  .sort()
  .filter((file) => given.length === 0 || given.some((word) => file.includes(word)));
const kernel = release().replace(/-.*$/, "");
const distribution = /PRETTY_NAME="([^"]*)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${distribution}, Linux ${kernel}, Node ${process.versions.node}`,
);
let failed = 0;
for (const file of files) {
  console.log(`\n## ${file}`);
  const { status } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
    stdio: "inherit",
    timeout: 900_000,
  });
  if (status !== 0) failed += 1;
}
if (files.length === 0) console.error(`no benchmark is named by ${given.join(", ")}`);
process.exit(failed === 0 && files.length > 0 ? 0 : 1);
