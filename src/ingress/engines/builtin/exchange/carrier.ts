import type { Clock } from "../../../../observe/clock.ts";
import type { Log } from "../../../../observe/log.ts";
import type { AccessLog } from "../../../access-log.ts";
import type { RouteFilters } from "../../../filters/filters.ts";
import type { IngressPlan, RoutePlan } from "../../../plan/plan.ts";
import type { Selection } from "../../../selection/selection.ts";
import type { Mirror } from "./mirror.ts";
import type { Upstreams } from "../upstream/upstreams.ts";

/** What can be ended from outside. */
export interface UnderWay {
  /** Breaks it off. */
  cut(): void;
}

/** What all exchanges share. */
export interface Carrier {
  readonly clock: Clock;
  readonly log: Log;
  readonly accessLog: AccessLog | undefined;
  readonly selection: Selection;
  readonly upstreams: Upstreams;
  readonly mirror: Mirror;
  readonly underWay: Set<UnderWay>;
  readonly filtersOf: (route: RoutePlan) => RouteFilters;
  /** The one in force. */
  plan: IngressPlan;
  isDraining: boolean;
}
