import type { Service } from "../../api/generated/types.ts";
import { read } from "../../api/annotation.ts";
import { slowStart } from "./annotations/slow-start.ts";
import type { ReadSlice } from "./slice.ts";

/** From a tenth of its share to all of it. */
const FULL = 10;
const STEPS = FULL - 1;

interface Ramps {
  /** Milliseconds between two steps of an endpoint. */
  readonly step: number;
  /** When each usable endpoint began; undefined for one that has its full share. */
  readonly since: Map<string, number | undefined>;
}

/**
 * Lets new endpoints of Services with `fairlead.dev/slow-start` come to their share by and by. An endpoint is new when it becomes
 * ready, for the first time or again. Those there are when a Service is first looked at are not; so after a restart of the proxy
 * nobody ramps. All endpoints of a Service step at the same moments, so that it is planned once a step however many are new.
 */
export class SlowStart {
  readonly #services = new Map<string, Ramps>();

  /** Takes in which endpoints a Service has now, before it is planned. */
  look(key: string, service: Service | undefined, slices: readonly ReadSlice[], now: number): void {
    const duration = read(slowStart, service?.metadata.annotations?.[slowStart.name], () => {});
    if (service === undefined || duration === 0) {
      this.#services.delete(key);
      return;
    }
    const was = this.#services.get(key);
    const step = Math.max(1, Math.ceil(duration / STEPS));
    const since = new Map<string, number | undefined>();
    for (const slice of slices) {
      for (const { id, ready } of slice.endpoints) {
        if (!ready) continue;
        const began = was === undefined ? undefined : was.since.has(id) ? was.since.get(id) : now;
        // A clock that was put back must not keep an endpoint waiting.
        const at = began === undefined ? undefined : Math.min(began, now);
        since.set(id, at !== undefined && now >= at + step * STEPS ? undefined : at);
      }
    }
    this.#services.set(key, { step, since });
  }

  /** How much of its share an endpoint has come to. */
  tenths(key: string, id: string, now: number): number {
    const ramps = this.#services.get(key);
    const since = ramps?.since.get(id);
    if (ramps === undefined || since === undefined) return FULL;
    return Math.min(FULL, 1 + Math.floor((now - since) / ramps.step));
  }

  /** The first moment after `now` at which an endpoint of the Service takes a step; undefined when all have their full share. */
  dueAt(key: string, now: number): number | undefined {
    const ramps = this.#services.get(key);
    if (ramps === undefined) return undefined;
    for (const since of ramps.since.values()) {
      if (since !== undefined) return (Math.floor(now / ramps.step) + 1) * ramps.step;
    }
    return undefined;
  }
}
