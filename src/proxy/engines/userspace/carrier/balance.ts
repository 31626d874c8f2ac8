import { maglevSlot, maglevTable } from "../../../../net/maglev.ts";
import { hostPort } from "../../../../net/ip.ts";
import type { Balance } from "../../../plan/plan.ts";
import type { CarriedTarget } from "./carried.ts";

/** A target's name among the others of its Service port. */
export const nameOf = ({ ip, port }: { readonly ip: string; readonly port: number }): string => hostPort(ip, port);

/** Chooses a target for a client of this address, but none of `tried`; undefined when there is no other. */
export type Chooser = (client: string, tried: ReadonlySet<CarriedTarget>) => CarriedTarget | undefined;

export interface ChooserGround {
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** How many connections a target has now. */
  readonly active: (target: CarriedTarget) => number;
}

const sumOf = (targets: readonly CarriedTarget[]): number => targets.reduce((sum, { weight }) => sum + weight, 0);

/** The target at this place of a line on which each is as long as its weight. */
function atPlace(targets: readonly CarriedTarget[], place: number): CarriedTarget | undefined {
  let left = place;
  for (const target of targets) {
    left -= target.weight;
    if (left < 0) return target;
  }
  return undefined;
}

const untried = (targets: readonly CarriedTarget[], tried: ReadonlySet<CarriedTarget>): readonly CarriedTarget[] =>
  tried.size === 0 ? targets : targets.filter((target) => !tried.has(target));

/** As kube-proxy of old: in turn, over a list that was shuffled, so that many nodes do not all begin with one (PRX-137). By weight the turns are spread evenly. */
function roundRobin(targets: readonly CarriedTarget[], { random }: ChooserGround): Chooser {
  const turns = targets.map((target) => ({ target, credit: 0 }));
  for (let at = turns.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [turns[at], turns[other]] = [turns[other]!, turns[at]!];
  }
  let next = 0;
  const isEven = targets.every(({ weight }) => weight === targets[0]!.weight);
  if (isEven) {
    return (_, tried) => {
      for (let steps = 0; steps < turns.length; steps++) {
        const { target } = turns[next]!;
        next = (next + 1) % turns.length;
        if (!tried.has(target)) return target;
      }
      return undefined;
    };
  }
  return (_, tried) => {
    const open = turns.filter(({ target }) => !tried.has(target));
    let best: (typeof turns)[number] | undefined;
    let sum = 0;
    for (const turn of open) {
      turn.credit += turn.target.weight;
      sum += turn.target.weight;
      if (best === undefined || turn.credit > best.credit) best = turn;
    }
    if (best !== undefined) best.credit -= sum;
    return best?.target;
  };
}

const atRandom =
  (targets: readonly CarriedTarget[], { random }: ChooserGround): Chooser =>
  (_, tried) => {
    const open = untried(targets, tried);
    return atPlace(open, random() * sumOf(open));
  };

/** Who has fewest connections for its weight; of several the next in turn, so that an idle list is not always begun at one end. */
function leastConnections(targets: readonly CarriedTarget[], { active }: ChooserGround): Chooser {
  let start = 0;
  return (_, tried) => {
    let best: CarriedTarget | undefined;
    let fewest = Infinity;
    let at = 0;
    for (let steps = 0; steps < targets.length; steps++) {
      const index = (start + steps) % targets.length;
      const target = targets[index]!;
      const load = active(target) / target.weight;
      if (load >= fewest || tried.has(target)) continue;
      [best, fewest, at] = [target, load, index];
    }
    start = (at + 1) % targets.length;
    return best;
  };
}

function byMaglev(targets: readonly CarriedTarget[]): Chooser {
  const byName = new Map(targets.map((target) => [nameOf(target), target]));
  const table = maglevTable(targets.map((target) => ({ name: nameOf(target), weight: target.weight })));
  return (client, tried) => {
    const first = maglevSlot(client, table.length);
    for (let steps = 0; steps < table.length; steps++) {
      const target = byName.get(table[(first + steps) % table.length]!)!;
      if (!tried.has(target)) return target;
    }
    return undefined;
  };
}

const bySource =
  (targets: readonly CarriedTarget[]): Chooser =>
  (client, tried) => {
    const open = untried(targets, tried);
    return open.length === 0 ? undefined : atPlace(open, maglevSlot(client, sumOf(open)));
  };

const CHOOSERS: Record<Balance, (targets: readonly CarriedTarget[], ground: ChooserGround) => Chooser> = {
  random: atRandom,
  "round-robin": roundRobin,
  "least-connections": leastConnections,
  maglev: byMaglev,
  "source-hash": bySource,
};

export const chooser = (balance: Balance, targets: readonly CarriedTarget[], ground: ChooserGround): Chooser =>
  CHOOSERS[balance](targets, ground);
