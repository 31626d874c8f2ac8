import { migrate } from "../../../ingress/migrate/migrate.ts";
import { manifestTexts } from "../../manifests/files.ts";
import { parseManifests } from "../../manifests/read.ts";
import type { MigrateRun } from "../ingress-flags.ts";
import { reportText } from "./text.ts";

/** Says what would be served of manifests. Answers the exit code: 1 where something would not be, or could not be read. */
export async function runMigrate(run: MigrateRun, say: (text: string) => void): Promise<number> {
  const texts = await manifestTexts(run.migrate);
  const read = texts.flatMap(({ file, text }) => parseManifests(file, text));
  const documents = read.filter((one) => "object" in one);
  // A chart's template is no manifest yet.
  const templates = new Set(texts.filter(({ text }) => /\{\{.*\}\}/.test(text)).map(({ file }) => file));
  const unread = read
    .filter((one) => "sentence" in one)
    .map(({ file, line, sentence }) => ({
      file,
      line,
      why: templates.has(file)
        ? `${sentence}; it looks like a chart's template: give what helm template prints`
        : sentence,
    }));
  const report = migrate(documents, run);
  if (run.output === "json") {
    say(`${JSON.stringify({ ...report, unread }, undefined, 2)}\n`);
  } else {
    say(unread.map(({ file, line, why }) => `${file}:${line}: ${why}\n`).join("") + reportText(report));
  }
  return unread.length > 0 || report.objects.some(({ outcome }) => outcome === "not") ? 1 : 0;
}
