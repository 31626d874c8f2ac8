import { forbidden, notSupported, type Fault } from "../../api/fault.ts";
import { invalidObject } from "../../api/status.ts";
import { queryFlag, queryNumber } from "../http/decode-object.ts";

/** What the query of a list, a watch or a deletion of many asks for, beside its selectors. */
export interface ListOptions {
  /** Objects a page may have; 0 is all of them. */
  readonly limit: number;
  /** `""` for a list that begins. */
  readonly continue: string;
  /** As it was said: `""` for the newest, `0` for any. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  /** Undefined when nothing is said. */
  readonly sendInitialEvents: boolean | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

const MATCH = "resourceVersionMatch";

/** What of the options does not go together in a list. */
function listFaults(options: ListOptions): Fault[] {
  const faults: Fault[] = [];
  const match = options.resourceVersionMatch;
  if (match !== "") {
    if (options.resourceVersion === "") {
      faults.push(forbidden(MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (options.continue !== "") {
      faults.push(forbidden(MATCH, "resourceVersionMatch is forbidden when continue is provided"));
    }
    if (match !== "Exact" && match !== "NotOlderThan") {
      faults.push(notSupported(MATCH, match, ["Exact", "NotOlderThan", ""]));
    }
    if (match === "Exact" && options.resourceVersion === "0") {
      faults.push(forbidden(MATCH, `resourceVersionMatch "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    faults.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  return faults;
}

/** What of the options does not go together in a watch. */
function watchFaults(options: ListOptions): Fault[] {
  const faults: Fault[] = [];
  const match = options.resourceVersionMatch;
  if (options.sendInitialEvents !== undefined && match !== "NotOlderThan") {
    faults.push(forbidden(MATCH, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  }
  if (match !== "" && options.sendInitialEvents === undefined) {
    faults.push(forbidden(MATCH, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  }
  if (match !== "" && match !== "NotOlderThan") faults.push(notSupported(MATCH, match, ["NotOlderThan"]));
  if (options.continue !== "") {
    faults.push(forbidden(MATCH, "resourceVersionMatch is forbidden when continue is provided"));
  }
  return faults;
}

/**
 * Reads the options (SVC-200). What goes together is another matter for `watch=true` than for a list; the deprecated `/watch/` path is
 * judged as a list, as upstream does.
 *
 * @throws ApiError BadRequest for what is no number, Invalid for what does not go together
 */
export function listOptions(query: URLSearchParams): ListOptions {
  const text = (name: string): string => query.get(name) ?? "";
  const timeoutSeconds = queryNumber(query, "timeoutSeconds");
  const options: ListOptions = {
    limit: Math.max(queryNumber(query, "limit") ?? 0, 0),
    continue: text("continue"),
    resourceVersion: text("resourceVersion"),
    resourceVersionMatch: text(MATCH),
    sendInitialEvents: query.has("sendInitialEvents") ? queryFlag(query, "sendInitialEvents") : undefined,
    allowWatchBookmarks: queryFlag(query, "allowWatchBookmarks"),
    timeoutSeconds,
  };
  const faults = queryFlag(query, "watch") ? watchFaults(options) : listFaults(options);
  if (faults.length > 0) throw invalidObject("meta.k8s.io", "ListOptions", "", faults);
  return options;
}
