import type { Cell, Column, Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { ListMeta } from "../../api/generated/types.ts";
import type { Item } from "../cache/item.ts";
import { badRequest } from "../errors.ts";
import { partialOf } from "./partial.ts";

export interface Table {
  readonly kind: "Table";
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly columnDefinitions: readonly Required<Omit<Column, never>>[] | null;
  readonly rows: readonly { readonly cells: readonly Cell[]; readonly object: KubeObject | null }[];
}

export interface TableOptions {
  readonly version: string;
  readonly includeObject: "None" | "Metadata" | "Object";
  readonly nowMs: number;
}

/** How much of each object a row carries: the metadata, unless the request says otherwise. */
export function includeObjectOf(query: URLSearchParams): TableOptions["includeObject"] {
  const asked = query.get("includeObject") ?? "";
  if (asked === "") return "Metadata";
  if (asked === "None" || asked === "Metadata" || asked === "Object") return asked;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

const definitionOf = (column: Column): Required<Column> => ({
  name: column.name,
  type: column.type,
  format: column.format ?? "",
  description: column.description,
  priority: column.priority ?? 0,
});

function shownOf(object: KubeObject, { includeObject, version }: TableOptions): KubeObject | null {
  if (includeObject === "None") return null;
  return includeObject === "Object" ? object : partialOf(object, version);
}

/** Items as rows; in a watch only the first event carries the column definitions. */
export function tableOf(
  kind: Kind,
  items: readonly Item[],
  metadata: ListMeta,
  options: TableOptions,
  withColumns = true,
): Table {
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: withColumns ? kind.columns.map(definitionOf) : null,
    rows: items.map(({ object }) => ({
      cells: kind.row(object, options.nowMs),
      object: shownOf(object, options),
    })),
  };
}
