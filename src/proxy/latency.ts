import type { EndpointSlice } from "../api/generated/types.ts";
import type { IPFamily } from "../net/ip.ts";
import { serviceOf } from "./plan/tracker.ts";

const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

/** One change, from what caused it to the kernel; times in milliseconds since the epoch. */
export interface Programmed {
  /** `namespace/name`. */
  readonly service: string;
  readonly family: IPFamily;
  readonly triggerTime: number;
  readonly appliedAt: number;
}

/** Times of one Service in one family. */
export interface Triggers {
  readonly service: string;
  readonly family: IPFamily;
  readonly times: ReadonlySet<number>;
}

/** Remembers when changes were caused until they are applied (PRX-017). */
export class TriggerTimes {
  readonly #since: number;
  #pending = new Map<string, Triggers>();

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
    this.#add({ service, family: slice.addressType === "IPv6" ? "IPv6" : "IPv4", times: new Set([time]) });
  }

  #add({ service, family, times }: Triggers): void {
    const key = `${family} ${service}`;
    const known = this.#pending.get(key)?.times ?? [];
    this.#pending.set(key, { service, family, times: new Set([...times, ...known]) });
  }

  /** All that is pending; it is pending no more. */
  take(): readonly Triggers[] {
    const taken = [...this.#pending.values()];
    this.#pending = new Map();
    return taken;
  }

  /** What was taken was not applied. */
  putBack(taken: readonly Triggers[]): void {
    for (const one of taken) this.#add(one);
  }
}
