import { maglevTable } from "../../../net/maglev.ts";
import type { ServicePortPlan, Target } from "../../plan/plan.ts";
import { slotShares } from "./shares.ts";

/** Each target as often as it has slots, in the order of the slots where the client's address chooses. */
export function slotsOf(targets: readonly Target[], port: ServicePortPlan): string[] {
  const names = targets.map(({ ip, port: number }) => (port.keepsPort ? ip : `${ip} . ${number}`));
  const weight = targets[0]?.weight;
  if (port.balance !== "maglev" && targets.every((target) => target.weight === weight)) return [...new Set(names)];
  const named = new Map<string, Target>();
  for (const [at, target] of targets.entries()) named.set(names[at]!, target);
  if (port.balance === "maglev") return maglevTable([...named].map(([name, { weight }]) => ({ name, weight })));
  const shares = slotShares([...named.values()].map(({ weight }) => weight));
  const each = [...named.keys()].map((name, at) => ({ name, left: shares[at]! }));
  // One round after another, so that turns of a heavy target are not all in a row.
  const slots: string[] = [];
  for (let due = each; due.length > 0; due = due.filter(({ left }) => left > 0)) {
    for (const one of due) {
      slots.push(one.name);
      one.left--;
    }
  }
  return slots;
}
