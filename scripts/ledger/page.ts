import { packetSection, type PacketRun } from "./packets.ts";
import type { Standing } from "./standing.ts";
import { STATEMENT_ID } from "./statements.ts";

/** A page of the ledger and where its statements stand. */
export interface Chapter {
  readonly title: string;
  readonly standings: readonly Standing[];
}

/** The tests that also pass on the real API server, and its version. */
export interface Judgement {
  readonly version: string;
  readonly tests: readonly string[];
}

const count = (standings: readonly Standing[], standing: Standing["standing"]): number =>
  standings.filter((one) => one.standing === standing).length;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** The first words of a statement: enough to know which one it is. */
const brief = (text: string): string => (text.length > 110 ? `${text.slice(0, 107).replace(/\s\S*$/, "")} …` : text);

const MAXIMUM_TESTS = 3;

function proof({ tests, why, standing }: Standing): string {
  const names = tests.slice(0, MAXIMUM_TESTS).map(({ name, file }) => `${name} (${file})`);
  const more = tests.length > MAXIMUM_TESTS ? [`and ${tests.length - MAXIMUM_TESTS} more`] : [];
  const shown = standing === "open" || standing === "not ours" ? [] : [...names, ...more];
  return cell([...(why === "" ? [] : [why]), ...shown].join("; "));
}

/** `docs/conformance.md`: for each statement where it stands, and by what. */
export function conformancePage(
  chapters: readonly Chapter[],
  judgement: Judgement | undefined,
  packets: readonly PacketRun[] = [],
): string {
  const judged = new Set((judgement?.tests ?? []).flatMap((name) => name.match(STATEMENT_ID) ?? []));
  const lines = [
    "# Conformance",
    "",
    "Where Fairlead stands on each numbered statement of the [ledger](ledger/): what Kubernetes v1.36 does. Written by `npm run ledger` from a run of",
    "all tests; do not edit.",
    "",
    "- **proved**: the tests named in the row check it.",
    "- **surpassed**: we do more than Kubernetes, as the row says; the tests show ours.",
    "- **not ours**: it cannot be ours, for the reason in the row.",
    "- **open**: not there yet, or not shown by a test.",
    "",
    ...(judgement === undefined
      ? []
      : [
          `A mark (✓) says that a test which checks the statement was also run against the real kube-apiserver ${judgement.version}, and passed there too`,
          "(`npm run judge`).",
          "",
        ]),
    "| | proved | surpassed | not ours | open | ✓ |",
    "|---|---|---|---|---|---|",
    ...chapters.map(
      ({ title, standings }) =>
        `| ${title} | ${[
          count(standings, "proved"),
          count(standings, "surpassed"),
          count(standings, "not ours"),
          count(standings, "open"),
          standings.filter(({ statement }) => judged.has(statement.id)).length,
        ].join(" | ")} |`,
    ),
    "",
  ];
  for (const { title, standings } of chapters) {
    lines.push(`## ${title}`, "", "| | says | stands | by |", "|---|---|---|---|");
    for (const one of standings) {
      const { id, text } = one.statement;
      const mark = judged.has(id) ? " ✓" : "";
      lines.push(`| ${id} | ${cell(brief(text))} | ${one.standing}${mark} | ${proof(one)} |`);
    }
    lines.push("");
  }
  lines.push(...packetSection(packets));
  return lines.join("\n");
}
