import type { EndpointSlice } from "../api/generated/types.ts";
import { serviceOf } from "./plan/tracker.ts";

const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

/** One change, from what caused it to the kernel; times in milliseconds since the epoch. */
export interface Programmed {
  /** `namespace/name`. */
  readonly service: string;
  readonly triggerTime: number;
  readonly appliedAt: number;
}

/** Remembers when changes were caused until they are applied (PRX-017). */
export class TriggerTimes {
  readonly #since: number;
  #pending = new Map<string, Set<number>>();

  /** Times before `since` belong to changes that an earlier run has applied. */
  constructor(since: number) {
    this.#since = since;
  }

  changed(slice: EndpointSlice, previous: EndpointSlice | undefined): void {
    const text = slice.metadata.annotations?.[TRIGGER_TIME];
    const service = serviceOf(slice);
    if (text === undefined || service === undefined) return;
    if (previous?.metadata.annotations?.[TRIGGER_TIME] === text) return;
    const time = Date.parse(text);
    if (Number.isNaN(time) || time < this.#since) return;
    this.#pending.set(service, (this.#pending.get(service) ?? new Set()).add(time));
  }

  /** All that is pending; it is pending no more. */
  take(): ReadonlyMap<string, ReadonlySet<number>> {
    const taken = this.#pending;
    this.#pending = new Map();
    return taken;
  }

  /** What was taken was not applied. */
  putBack(taken: ReadonlyMap<string, ReadonlySet<number>>): void {
    for (const [service, times] of taken) {
      this.#pending.set(service, new Set([...times, ...(this.#pending.get(service) ?? [])]));
    }
  }
}
