import { isDeepStrictEqual } from "node:util";
import { belongsTo } from "../../api/endpointSlice/belongs.ts";
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { Claims } from "./claims.ts";
import type { ServicePlan } from "./plan.ts";
import { planService, type PlanContext } from "./service.ts";

/** The label that says which Service a slice belongs to (PRX-009). */
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** `namespace/name` of the Service a slice belongs to. */
export const serviceOf = (slice: EndpointSlice): string | undefined => {
  const name = slice.metadata.labels?.[SERVICE_NAME_LABEL];
  return name ? `${slice.metadata.namespace ?? ""}/${name}` : undefined;
};

/** Without `isPenalized` nobody is. */
export type TrackerContext = Omit<PlanContext, "owns" | "isPenalized"> & Partial<Pick<PlanContext, "isPenalized">>;

/** Keeps Services and slices by Service, and plans again only those that changed. */
export class Tracker {
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  readonly #owners = new Map<string, string>();
  readonly #claims = new Claims();
  readonly #dirty = new Set<string>();
  readonly #plans = new Map<string, ServicePlan>();
  #context: PlanContext;

  constructor(context: TrackerContext) {
    this.#context = this.#withClaims(context);
  }

  #withClaims(context: TrackerContext): PlanContext {
    return { isPenalized: () => false, ...context, owns: (way, service) => this.#claims.owns(way, service) };
  }

  get plans(): ReadonlyMap<string, ServicePlan> {
    return this.#plans;
  }

  /** The node itself changed (its zone, PRX-034): everything is planned again. */
  setContext(context: TrackerContext): void {
    this.#context = this.#withClaims(context);
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

  /** Plans what is due; answers the plans that differ from before, undefined for those that are gone (PRX-016). */
  replan(): Map<string, ServicePlan | undefined> {
    const changed = new Map<string, ServicePlan | undefined>();
    for (const key of this.#dirty) {
      const service = this.#services.get(key);
      const plan = service === undefined ? undefined : planService(service, this.slicesOf(key), this.#context);
      const was = this.#plans.get(key);
      if (isDeepStrictEqual(plan, was)) continue;
      if (plan === undefined) this.#plans.delete(key);
      else this.#plans.set(key, plan);
      changed.set(key, plan);
    }
    this.#dirty.clear();
    return changed;
  }
}
