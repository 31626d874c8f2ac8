import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../../../observe/clock.ts";
import { Affinity } from "./affinity.ts";
import { chooser, nameOf, type Chooser } from "./balance.ts";
import type { CarriedPort, CarriedTarget, ListName } from "./carried.ts";

/** A connection or a flow that is under way. */
export interface Carried {
  readonly target: CarriedTarget;
  /** Ends it at once, on both sides. */
  end(): void;
}

export interface PortGround {
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

interface List {
  readonly targets: readonly CarriedTarget[];
  readonly choose: Chooser;
}

const NOBODY: ReadonlySet<CarriedTarget> = new Set();

/** One Service port while it is carried: who is chosen, who is remembered, and what is under way. */
export class Port {
  plan: CarriedPort;
  readonly #ground: PortGround;
  readonly #affinity: Affinity;
  readonly #lists = new Map<ListName, List>();
  /** What is under way, by its target's name. */
  readonly #carried = new Map<string, Set<Carried>>();
  /** Names of targets that may be spoken to. */
  #alive: ReadonlySet<string> = new Set();

  constructor(plan: CarriedPort, ground: PortGround) {
    this.#ground = ground;
    this.#affinity = new Affinity(ground.clock);
    this.plan = plan;
    this.update(plan);
  }

  update(plan: CarriedPort): void {
    const was = this.plan;
    this.plan = plan;
    const active = (target: CarriedTarget): number => this.#carried.get(nameOf(target))?.size ?? 0;
    for (const name of ["internal", "external", "cluster"] as const) {
      const targets = plan.lists[name];
      const known = this.#lists.get(name);
      if (targets === undefined) this.#lists.delete(name);
      else if (known === undefined || was.balance !== plan.balance || !isDeepStrictEqual(known.targets, targets)) {
        this.#lists.set(name, { targets, choose: chooser(plan.balance, targets, { ...this.#ground, active }) });
      }
    }
    const usable = new Set(Object.values(plan.lists).flatMap((targets) => targets.map(nameOf)));
    this.#affinity.keepOnly(usable);
    this.#settle(new Set([...usable, ...plan.serving.map(nameOf)]));
  }

  /** Nobody calls here any more: what is under way is dealt with as for targets that are gone. */
  leave(): void {
    this.#settle(new Set());
  }

  /** PRX-203, PRX-204 for flows, `onRemoval` for connections. */
  #settle(alive: ReadonlySet<string>): void {
    this.#alive = alive;
    const { protocol, onRemoval } = this.plan;
    const after = protocol === "UDP" ? 0 : onRemoval.action === "close" ? onRemoval.after : undefined;
    if (after === undefined) return;
    for (const name of this.#carried.keys()) if (!alive.has(name)) this.#endSoon(name, after);
  }

  #endSoon(name: string, after: number): void {
    const end = (): void => {
      if (this.#alive.has(name)) return;
      for (const one of this.#carried.get(name) ?? []) one.end();
    };
    if (after === 0) end();
    else this.#ground.clock.after(after, end);
  }

  /**
   * A target of a list for a client, but none of `tried`; undefined when there is none. The client's last target is taken
   * again where the Service wants that, unless it is not usable any more (PRX-098).
   */
  choose(listName: ListName, client: string, tried: ReadonlySet<CarriedTarget> = NOBODY): CarriedTarget | undefined {
    const list = this.#lists.get(listName);
    if (list === undefined) return undefined;
    const seconds = this.plan.affinitySeconds;
    if (seconds === undefined) return list.choose(client, tried);
    const last = this.#affinity.targetOf(client);
    const kept = last === undefined ? undefined : list.targets.find((target) => nameOf(target) === last);
    const chosen = kept !== undefined && !tried.has(kept) ? kept : list.choose(client, tried);
    if (chosen !== undefined) this.#affinity.remember(client, nameOf(chosen), seconds);
    return chosen;
  }

  /** PRX-103: the client's target did not answer. */
  forget(client: string): void {
    this.#affinity.forget(client);
  }

  /** Something is under way now. Answers what to call when it is over. */
  begin(carried: Carried): () => void {
    const name = nameOf(carried.target);
    let all = this.#carried.get(name);
    if (all === undefined) this.#carried.set(name, (all = new Set()));
    all.add(carried);
    return () => {
      all.delete(carried);
      if (all.size === 0 && this.#carried.get(name) === all) this.#carried.delete(name);
    };
  }
}
