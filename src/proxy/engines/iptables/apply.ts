import type { Desired } from "../../engine.ts";
import type { IptPart } from "./compile.ts";
import type { IptFrame } from "./frame.ts";
import { setRouteLocalnet } from "./localnet.ts";
import { restoreText, tablesOf } from "./restore.ts";
import { jumpKey, type IptState } from "./state.ts";
import type { Iptables } from "./tools.ts";

/** What is due: keys whose part is not the one applied. */
function dueKeys(next: Desired<IptPart, IptFrame>, state: IptState): string[] {
  const candidates = state.frame === undefined ? undefined : next.changed;
  const keys = candidates ?? new Set([...next.parts.keys(), ...state.parts.keys()]);
  return [...keys].filter((key) => next.parts.get(key) !== state.parts.get(key));
}

/**
 * Makes the kernel hold what `next` says: one call a family, in which only chains that differ are named. Throws
 * IptablesFailed; then nothing is known and `read` must come first.
 */
export async function apply(
  iptables: Iptables,
  next: Desired<IptPart, IptFrame>,
  state: IptState,
  signal: AbortSignal,
): Promise<IptState> {
  signal.throwIfAborted();
  const isFirst = state.frame === undefined;
  const { frame } = next;
  const due = dueKeys(next, state);
  if (state.frame !== frame) {
    if (!frame.routeLocalnet) await setRouteLocalnet(iptables, state, false, signal);
    state.setFrame(frame);
  }
  for (const key of due) state.setPart(key, next.parts.get(key));
  const { write, remove } = state.differences(isFirst);
  const jumps = frame.jumps.filter((jump) => !state.jumps.has(jumpKey(jump)));
  const generation = state.counter + 1;
  for (const family of frame.families) {
    const change = { family, write, remove, jumps, generation };
    const text = restoreText(change);
    if (text === "") continue;
    await iptables.restore(family, text, signal);
    state.counter = generation;
    for (const table of tablesOf(change)) state.generations.set(table, generation);
  }
  state.settle(write, remove);
  for (const jump of jumps) state.jumps.add(jumpKey(jump));
  if (frame.routeLocalnet) await setRouteLocalnet(iptables, state, true, signal);
  return state;
}
