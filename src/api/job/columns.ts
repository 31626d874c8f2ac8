import { humanDuration } from "../duration.ts";
import type { Job } from "../generated/types.ts";
import type { Cell, Column } from "../kind.ts";
import { age, ageColumn, column, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { selectorCell } from "../selector/selector-text.ts";
import { containerCells, containerColumns } from "../template/columns.ts";

export const columns: readonly Column[] = [
  nameColumn,
  column("Status", "What has become of it."),
  column("Completions", "How many of its pods have ended well, of how many that must."),
  column("Duration", "How long it has been at work, or was."),
  ageColumn,
  ...containerColumns,
  wideColumn("Selector", "The labels by which it knows its pods."),
];

function statusText({ metadata, status }: Job): string {
  const has = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(has) ?? "Running";
}

function completionsText({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return "";
  const end = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  return humanDuration(end - Date.parse(status.startTime));
}

export const row = (object: Job, nowMs: number): Cell[] => [
  nameOf(object),
  statusText(object),
  completionsText(object),
  durationText(object, nowMs),
  age(object, nowMs),
  ...containerCells(object.spec?.template),
  selectorCell(object.spec?.selector),
];
