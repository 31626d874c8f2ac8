import type { PodTemplateSpec } from "../generated/types.ts";
import type { Cell, Column } from "../kind.ts";
import { wideColumn } from "../meta/columns.ts";

/** What a workload's pods consist of. */
export const containerColumns: readonly Column[] = [
  wideColumn("Containers", "Names of the containers of its pods."),
  wideColumn("Images", "Their images."),
];

/** The cells of `containerColumns`. */
export function containerCells(template: PodTemplateSpec | undefined): Cell[] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map(({ name }) => name).join(","), containers.map(({ image }) => image ?? "").join(",")];
}
