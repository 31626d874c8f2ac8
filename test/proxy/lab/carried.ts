import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import { keyOf } from "../../../src/api/object.ts";
import type { ProxyEngine } from "../../../src/proxy/engine.ts";
import type { NodePlan, ServicePlan } from "../../../src/proxy/plan/plan.ts";
import { Tracker } from "../../../src/proxy/plan/tracker.ts";
import { nodePlan } from "./objects.ts";

/** Services as objects, carried by an engine: what the proxy does, without an API server. */
export class Carried<P, F, A> {
  readonly engine: ProxyEngine<P, F, A>;
  node: NodePlan;
  readonly tracker: Tracker;
  readonly #parts = new Map<string, P>();
  readonly #plans = new Map<string, ServicePlan>();
  readonly #known = new Map<string, ServicePlan>();
  #frame: F;
  #all = false;
  readonly #signal = new AbortController().signal;
  applied: A | undefined;

  constructor(engine: ProxyEngine<P, F, A>, node: NodePlan = nodePlan(), zone?: string) {
    this.engine = engine;
    this.node = node;
    this.#frame = engine.compileNode(node);
    this.tracker = new Tracker({ nodeName: node.nodeName, zone, families: node.families });
  }

  set(service: Service, slices: readonly EndpointSlice[]): void {
    this.tracker.setService(keyOf(service), service);
    for (const slice of slices) this.tracker.setSlice(keyOf(slice), slice);
  }

  remove(service: Service, slices: readonly EndpointSlice[]): void {
    this.tracker.setService(keyOf(service), undefined);
    for (const slice of slices) this.tracker.setSlice(keyOf(slice), undefined);
  }

  /** A plan as it is, for what no object says. */
  setPlan(plan: ServicePlan): void {
    this.#plans.set(plan.key, plan);
  }

  /** The node is another now: all Services are compiled again, as the proxy does. */
  setNode(node: NodePlan, zone?: string): void {
    this.node = node;
    this.#frame = this.engine.compileNode(node);
    this.tracker.setContext({ nodeName: node.nodeName, zone, families: node.families });
    for (const [key, plan] of this.#known) this.#parts.set(key, this.engine.compile(plan, node));
    this.#all = true;
  }

  /** One round; `signal` stops it on its way, as the end of a proxy does. */
  async apply(signal: AbortSignal = this.#signal): Promise<void> {
    const changes = new Map([...this.tracker.replan(), ...this.#plans]);
    this.#plans.clear();
    for (const [key, plan] of changes) {
      if (plan === undefined) {
        this.#parts.delete(key);
        this.#known.delete(key);
      } else {
        this.#parts.set(key, this.engine.compile(plan, this.node));
        this.#known.set(key, plan);
      }
    }
    const full = this.applied === undefined || this.#all;
    this.#all = false;
    const was = this.applied ?? (await this.engine.read(signal));
    this.applied = undefined;
    const changed = full ? undefined : new Set(changes.keys());
    this.applied = await this.engine.apply({ frame: this.#frame, parts: this.#parts, changed }, was, signal);
  }
}
