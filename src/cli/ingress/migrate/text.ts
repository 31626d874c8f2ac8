import type { Finding, MigrationReport, ObjectReport } from "../../../ingress/migrate/report.ts";

const WIDTH = "differently".length;
const indent = " ".repeat(WIDTH + 4);

function findingLines({ field, value, outcome, why, instead }: Finding): string[] {
  const name = field.replace(/^metadata\.annotations\[(.*)\]$/, "$1");
  return [
    `  ${outcome.padEnd(WIDTH)}  ${name}${value === "" ? "" : `: ${value}`}`,
    ...(why === undefined ? [] : [`${indent}${why}`]),
    ...(instead === undefined ? [] : [`${indent}instead: ${instead}`]),
  ];
}

const objectLines = ({ file, line, kind, name, outcome, refused, findings }: ObjectReport): string[] => [
  `${file}:${line}: ${kind} ${name}: ${outcome}${refused === undefined ? "" : ", and its requests are answered 503"}`,
  ...findings.flatMap(findingLines),
  "",
];

const many = (count: number, what: string): string => `${count} ${what}`;

/** The report as a person reads it. */
export function reportText({ objects, classes, files, always }: MigrationReport): string {
  const lines = objects.flatMap(objectLines);
  if (classes.length > 0) {
    lines.push("Before anything is served:");
    for (const { name, ingresses, remedy } of classes) {
      const whose = name === "" ? "that name no class" : `of class ${name}`;
      lines.push(`  ${ingresses === 1 ? "1 Ingress" : `${ingresses} Ingresses`} ${whose}: ${remedy}`);
    }
    lines.push("");
  }
  if (objects.length > 0) lines.push("For every Ingress:", ...always.map((one) => `  ${one}`), "");
  for (const { file, same, differently, not, others } of files) {
    const served =
      same + differently + not === 0
        ? "no Ingress"
        : [many(same, "the same"), many(differently, "differently"), many(not, "not")].join(", ");
    lines.push(
      `${file}: ${served}${others === 0 ? "" : `; ${others} other ${others === 1 ? "object" : "objects"} not looked at`}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
