import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import { keyOf } from "../../../src/api/object.ts";
import type { ProxyEngine } from "../../../src/proxy/engine.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import { Tracker } from "../../../src/proxy/plan/tracker.ts";
import { nodePlan } from "./objects.ts";

/** Services as objects, carried by an engine: what the proxy does, without an API server. */
export class Carried<P, F, A> {
  readonly engine: ProxyEngine<P, F, A>;
  readonly node: NodePlan;
  readonly tracker: Tracker;
  readonly #parts = new Map<string, P>();
  readonly #frame: F;
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

  async apply(): Promise<void> {
    const changes = this.tracker.replan();
    for (const [key, plan] of changes) {
      if (plan === undefined) this.#parts.delete(key);
      else this.#parts.set(key, this.engine.compile(plan, this.node));
    }
    const full = this.applied === undefined;
    const was = this.applied ?? (await this.engine.read(this.#signal));
    this.applied = undefined;
    const changed = full ? undefined : new Set(changes.keys());
    this.applied = await this.engine.apply({ frame: this.#frame, parts: this.#parts, changed }, was, this.#signal);
  }
}
