import { ApiError } from "../../api/status.ts";
import type { Conflict } from "./apply.ts";
import { fieldWords } from "./fields-v1.ts";
import { managerKey, type ManagerId } from "./managers.ts";

/** `"kubelet" with subresource "status" using v1`; appliers are not told by version. */
function managerWords({ manager, operation, apiVersion, subresource }: ManagerId): string {
  const where = subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(manager)}${where}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
}

/** The 409 of an apply that would change other managers' fields: one cause for every field. */
export function applyConflict(conflicts: readonly Conflict[]): ApiError {
  const sorted = [...conflicts].sort((one, other) => (managerKey(one) < managerKey(other) ? -1 : 1));
  const told = sorted.map((conflict) => ({ who: managerWords(conflict), fields: fieldWords(conflict.fields) }));
  const causes = told.flatMap(({ who, fields }) =>
    fields.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${who}`, field })),
  );
  const [only] = causes;
  const words =
    causes.length === 1
      ? `1 conflict: ${only!.message}: ${only!.field}`
      : `${causes.length} conflicts: ${told
          .flatMap(({ who, fields }) => [`conflicts with ${who}:`, ...fields.map((field) => `- ${field}`)])
          .join("\n")}`;
  return new ApiError("Conflict", `Apply failed with ${words}`, { causes });
}
