import type { IPFamily } from "../../../net/ip.ts";
import { LOCALNET_MARK } from "./localnet.ts";
import { chainKey, TABLES } from "./rules.ts";
import { readSaved } from "./saved.ts";
import { IptState, jumpKey } from "./state.ts";
import type { Iptables } from "./tools.ts";

/** What the kernel holds of ours, so that a start writes only what differs. Chains of others are passed over. */
export async function read(iptables: Iptables, families: readonly IPFamily[], signal: AbortSignal): Promise<IptState> {
  const state = new IptState();
  for (const family of families) {
    for (const table of TABLES) {
      const saved = readSaved(await iptables.save(family, table, signal), family, table);
      for (const chain of saved.chains) {
        if (chain.name === LOCALNET_MARK) state.turnedLocalnetOn = true;
        else state.held.set(chainKey(family, table, chain.name), chain);
      }
      for (const jump of saved.jumps) state.jumps.add(jumpKey(jump));
      if (saved.generation === undefined) continue;
      const generation = Number.isNaN(saved.generation) ? 0 : saved.generation;
      state.generations.set(`${family} ${table}`, generation);
      state.counter = Math.max(state.counter, generation);
    }
  }
  return state;
}
