import type { EngineSubject } from "../lab/door.ts";
import { filterAttacks } from "./filters.ts";
import { floodAttacks } from "./floods.ts";
import { headerAttacks } from "./headers.ts";
import { pathAttacks } from "./paths.ts";

/** What somebody tries who wants to get by, as seen by pods. */
export function ingressAttacks(subject: EngineSubject): void {
  pathAttacks(subject);
  headerAttacks(subject);
  filterAttacks(subject);
  floodAttacks(subject);
}
