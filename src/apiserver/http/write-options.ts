import { forbidden, invalid, notSupported, required, tooLong, type Fault } from "../../api/fault.ts";
import { invalidObject } from "../../api/status.ts";
import { queryFlag } from "./decode-object.ts";
import type { Exchange } from "./exchange.ts";

/** Which of Kubernetes' option types the query of a write is read as. */
export type WriteOptionsKind = "CreateOptions" | "UpdateOptions" | "PatchOptions";

/** What the query of a write asks for. */
export interface WriteOptions {
  readonly dryRun: boolean;
  /** Who is to own what is written: `fieldManager`, else the user agent up to its first slash; `""` when both say nothing. */
  readonly fieldManager: string;
  /** Whether an applied object takes fields over from other managers. */
  readonly force: boolean;
}

/** Bytes a manager's name may have. */
const MAXIMUM_MANAGER = 128;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function managerFault(manager: string): Fault | undefined {
  if (Buffer.byteLength(manager) > MAXIMUM_MANAGER) return tooLong("fieldManager", MAXIMUM_MANAGER);
  let at = 0;
  for (const sign of manager) {
    if (!PRINTABLE.test(sign)) {
      const code = sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      return invalid("fieldManager", manager, `invalid character U+${code} (at position ${at})`);
    }
    at += Buffer.byteLength(sign);
  }
  return undefined;
}

function managerOfAgent(agent: string): string {
  let manager = "";
  for (const sign of agent.split("/", 1)[0]!) {
    if (!PRINTABLE.test(sign)) continue;
    if (Buffer.byteLength(manager + sign) > MAXIMUM_MANAGER) break;
    manager += sign;
  }
  return manager;
}

/**
 * Reads the options of a write.
 *
 * @throws ApiError Invalid for options that mean nothing, for `force` of anything but an apply patch, and for one without `fieldManager`
 */
export function writeOptions(
  { query, request }: Pick<Exchange, "query" | "request">,
  kind: WriteOptionsKind,
  isApply = false,
): WriteOptions {
  const faults: Fault[] = [];
  const manager = query.get("fieldManager") ?? "";
  if (isApply && manager === "") faults.push(required("fieldManager", "is required for apply patch"));
  if (kind === "PatchOptions" && !isApply && query.has("force")) {
    faults.push(forbidden("force", "may not be specified for non-apply patch"));
  }
  const fault = managerFault(manager);
  if (fault !== undefined) faults.push(fault);
  const dryRun = query.getAll("dryRun").filter((word) => word !== "");
  if (dryRun.some((word) => word !== "All")) {
    faults.push({
      ...notSupported("dryRun", "", ["All"]),
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    });
  }
  const validation = query.get("fieldValidation") ?? "";
  if (!["", "Ignore", "Strict", "Warn"].includes(validation)) {
    faults.push(notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
  }
  if (faults.length > 0) throw invalidObject("meta.k8s.io", kind, "", faults);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager === "" ? managerOfAgent(request.headers["user-agent"] ?? "") : manager,
    force: queryFlag(query, "force"),
  };
}
