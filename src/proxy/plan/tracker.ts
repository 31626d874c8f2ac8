import { belongsTo } from "../../api/endpointSlice/belongs.ts";
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { Claims } from "./claims.ts";
import type { ServicePlan } from "./plan.ts";
import { sameData } from "../../api/sameData.ts";
import { planService, type PlanContext } from "./service.ts";
import { readSlice, type ReadSlice } from "./slice.ts";
import { SlowStart } from "./slow-start.ts";

/** The label that says which Service a slice belongs to (PRX-009). */
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** `namespace/name` of the Service a slice belongs to. */
export const serviceOf = (slice: EndpointSlice): string | undefined => {
  const name = slice.metadata.labels?.[SERVICE_NAME_LABEL];
  return name ? `${slice.metadata.namespace ?? ""}/${name}` : undefined;
};

/** Where the node stands. Without `isPenalized` nobody is; without `now`, milliseconds since the epoch, nobody starts slowly. */
export interface TrackerContext extends Pick<PlanContext, "nodeName" | "zone" | "families"> {
  readonly isPenalized?: PlanContext["isPenalized"] | undefined;
  readonly now?: (() => number) | undefined;
}

const NOBODY = (): boolean => false;
const sameContext = (one: TrackerContext, other: TrackerContext): boolean =>
  one.nodeName === other.nodeName &&
  one.zone === other.zone &&
  one.families.join() === other.families.join() &&
  one.isPenalized === other.isPenalized &&
  one.now === other.now;

/** Keeps Services and slices by Service, and plans again only those that changed. */
export class Tracker {
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  readonly #owners = new Map<string, string>();
  readonly #claims = new Claims();
  readonly #dirty = new Set<string>();
  readonly #plans = new Map<string, ServicePlan>();
  readonly #slowStart = new SlowStart();
  /** When a Service is to be planned again by itself. */
  readonly #due = new Map<string, number>();
  /** What slices say, for Services of several: when one changes, the others are not read again. */
  readonly #read = new WeakMap<EndpointSlice, ReadSlice>();
  #context: TrackerContext;
  #plannedAt = 0;

  constructor(context: TrackerContext) {
    this.#context = context;
  }

  get plans(): ReadonlyMap<string, ServicePlan> {
    return this.#plans;
  }

  /** The node itself changed (its zone, PRX-034): everything is planned again. */
  setContext(context: TrackerContext): void {
    if (sameContext(context, this.#context)) return;
    this.#context = context;
    for (const key of this.#services.keys()) this.#dirty.add(key);
  }

  /** A Service as it is now, or undefined for one that is gone. */
  setService(key: string, service: Service | undefined): void {
    if (service === undefined) this.#services.delete(key);
    else this.#services.set(key, service);
    this.#dirty.add(key);
    for (const other of this.#claims.set(key, service)) this.#dirty.add(other);
  }

  /** A slice as it is now, or undefined for one that is gone; `key` is its own `namespace/name`. */
  setSlice(key: string, slice: EndpointSlice | undefined): void {
    const was = this.#owners.get(key);
    const now = slice === undefined ? undefined : serviceOf(slice);
    if (was !== undefined && was !== now) {
      const left = this.#slices.get(was);
      left?.delete(key);
      if (left?.size === 0) this.#slices.delete(was);
      this.#owners.delete(key);
      this.#dirty.add(was);
    }
    if (slice === undefined || now === undefined) return;
    const slices = this.#slices.get(now) ?? new Map<string, EndpointSlice>();
    this.#slices.set(now, slices.set(key, slice));
    this.#owners.set(key, now);
    this.#dirty.add(now);
  }

  /** What these Services depend on beside their objects has changed. */
  touch(keys: Iterable<string>): void {
    for (const key of keys) if (this.#services.has(key)) this.#dirty.add(key);
  }

  /** The slices of a Service, without those that an earlier one of the same name left behind. */
  slicesOf(key: string): EndpointSlice[] {
    const service = this.#services.get(key);
    // By name, so that the plan does not depend on the order of arrival.
    return [...(this.#slices.get(key)?.values() ?? [])]
      .filter((slice) => service === undefined || belongsTo(slice, service))
      .toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  }

  /** When something changes by itself, in milliseconds since the epoch: `replan` is to be called then. As of the last `replan`. */
  get dueAt(): number | undefined {
    let first: number | undefined;
    for (const at of this.#due.values()) if (first === undefined || at < first) first = at;
    return first;
  }

  #readSlices(key: string): ReadSlice[] {
    const slices = this.slicesOf(key);
    return slices.flatMap((slice) => {
      const known = this.#read.get(slice) ?? readSlice(slice);
      if (known === undefined) return [];
      if (slices.length > 1) this.#read.set(slice, known);
      return [known];
    });
  }

  #startSlowly(key: string, service: Service | undefined, slices: readonly ReadSlice[], now: number): void {
    if (this.#context.now === undefined) return;
    this.#slowStart.look(key, service, slices, now);
    const due = this.#slowStart.dueAt(key, now);
    if (due === undefined) this.#due.delete(key);
    else this.#due.set(key, due);
  }

  /** Plans what is due; answers the plans that differ from before, undefined for those that are gone (PRX-016). */
  replan(): Map<string, ServicePlan | undefined> {
    const now = this.#context.now?.() ?? 0;
    // A clock that was put back makes all steps due: none would come for so long.
    for (const [key, at] of this.#due) if (at <= now || now < this.#plannedAt) this.#dirty.add(key);
    this.#plannedAt = now;
    const context: PlanContext = {
      ...this.#context,
      isPenalized: this.#context.isPenalized ?? NOBODY,
      claims: this.#claims,
      tenths: (key, id) => this.#slowStart.tenths(key, id, now),
    };
    const changed = new Map<string, ServicePlan | undefined>();
    for (const key of this.#dirty) {
      const service = this.#services.get(key);
      const slices = service === undefined ? [] : this.#readSlices(key);
      this.#startSlowly(key, service, slices, now);
      const plan = service === undefined ? undefined : planService(service, slices, context);
      const was = this.#plans.get(key);
      if (sameData(plan, was)) continue;
      if (plan === undefined) this.#plans.delete(key);
      else this.#plans.set(key, plan);
      changed.set(key, plan);
    }
    this.#dirty.clear();
    return changed;
  }
}
