import type { ForwardOptions } from "../configuration/configuration.ts";

/** The order in which upstreams are asked for one query, as numbers below `count`. */
export type Policy = () => readonly number[];

export function policyOf(policy: ForwardOptions["policy"], count: number, random: () => number): Policy {
  const inOrder = Array.from({ length: count }, (_, at) => at);
  if (policy === "sequential" || count === 1) return () => inOrder;
  if (policy === "round_robin") {
    // The next one first; the others after it, as they come.
    const turns = inOrder.map((first) => [first, ...inOrder.filter((at) => at !== first)]);
    let turn = count - 1;
    return () => turns[(turn = (turn + 1) % count)]!;
  }
  return () => {
    const shuffled = [...inOrder];
    for (let at = count - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
    }
    return shuffled;
  };
}
