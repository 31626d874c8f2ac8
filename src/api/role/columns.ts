import type { Cell, Column } from "../kind.ts";
import { nameColumn, nameOf } from "../meta/columns.ts";
import type { KubeObject } from "../object.ts";

/** Roles have no columns of their own: upstream shows them by the table that every kind without one has. */
export const roleColumns: readonly Column[] = [
  nameColumn,
  { name: "Created At", type: "date", description: "When the object was created." },
];

export const roleRow = (object: KubeObject): Cell[] => [nameOf(object), object.metadata.creationTimestamp ?? null];
