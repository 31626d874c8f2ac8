import { CANARY } from "./frame.ts";
import { generationRule } from "./restore.ts";
import { TABLES } from "./rules.ts";
import type { IptState } from "./state.ts";
import type { Iptables } from "./tools.ts";

/**
 * Whether our canaries hold the number of our last change, and the chains of the kernel still lead to ours: one call a
 * family that lists nothing (PRX-178).
 */
export async function intact(iptables: Iptables, was: IptState, signal: AbortSignal): Promise<boolean> {
  for (const family of was.frame?.families ?? []) {
    const lines: string[] = [];
    for (const table of TABLES) {
      const generation = was.generations.get(`${family} ${table}`);
      if (generation === undefined) return false;
      lines.push(`*${table}`, `-C ${CANARY} ${generationRule(generation)}`);
      for (const jump of was.frame!.jumps) {
        if (jump.family === family && jump.table === table) lines.push(`-C ${jump.from} ${jump.rule}`);
      }
      lines.push("COMMIT");
    }
    if (!(await iptables.holds(family, `${lines.join("\n")}\n`, signal))) return false;
  }
  return true;
}
