import type { VirtualServer } from "./compile.ts";
import { isTcpKey } from "./names.ts";
import type { IpvsState } from "./state.ts";
import type { HeldServer } from "./words.ts";

/** PRX-186, PRX-204: TCP connections are waited for, and flows of UDP and SCTP while their endpoint serves. */
const stays = (key: string, target: string, { serving }: VirtualServer): boolean =>
  isTcpKey(key) || serving.has(target);

/** What a virtual server needs to become as it shall be; `held` is changed to that. */
function serverLines(key: string, wanted: VirtualServer, held: HeldServer | undefined): string[] {
  const lines: string[] = [];
  if (held === undefined) lines.push(`-A ${key} ${wanted.choice}`);
  else if (held.choice !== wanted.choice) lines.push(`-E ${key} ${wanted.choice}`);
  for (const [target, weight] of wanted.targets) {
    const was = held?.targets.get(target);
    if (was === undefined) lines.push(`-a ${key} -r ${target} -m -w ${weight}`);
    else if (was !== weight) lines.push(`-e ${key} -r ${target} -m -w ${weight}`);
  }
  // Newcomers first, so that a list that changes whole is never empty.
  for (const [target, weight] of held?.targets ?? []) {
    if (wanted.targets.has(target)) continue;
    if (!stays(key, target, wanted)) lines.push(`-d ${key} -r ${target}`);
    else if (weight !== 0) lines.push(`-e ${key} -r ${target} -m -w 0`);
  }
  return lines;
}

/** ipvsadm's lines for the virtual servers named, and `state` as it is after them. */
export function serversDue(
  state: IpvsState,
  touched: Iterable<string>,
  isExcluded: (key: string) => boolean,
): string[] {
  const lines: string[] = [];
  for (const key of touched) {
    const wanted = state.wanted.get(key);
    const held = state.servers.get(key) ?? state.foreign.get(key);
    if (wanted === undefined) {
      if (!state.servers.has(key) || isExcluded(key)) continue;
      lines.push(`-D ${key}`);
      state.servers.delete(key);
      continue;
    }
    lines.push(...serverLines(key, wanted, held));
    const targets = new Map(wanted.targets);
    for (const target of held?.targets.keys() ?? []) {
      if (!targets.has(target) && stays(key, target, wanted)) targets.set(target, 0);
    }
    state.foreign.delete(key);
    state.servers.set(key, { choice: wanted.choice, targets });
  }
  return lines;
}

/** Real servers on their way out that have no connection left: ipvsadm's lines to remove them, and `state` after that. */
export function leaversDue(state: IpvsState, connections: ReadonlyMap<string, number>): string[] {
  const lines: string[] = [];
  for (const [key, { targets }] of state.servers) {
    for (const [target, weight] of targets) {
      if (weight !== 0 || (connections.get(`${key} ${target}`) ?? 0) > 0) continue;
      lines.push(`-d ${key} -r ${target}`);
      targets.delete(target);
    }
  }
  return lines;
}

/** Whether any real server waits for its connections to end. */
export function hasLeavers(state: IpvsState): boolean {
  for (const { targets } of state.servers.values()) {
    for (const weight of targets.values()) if (weight === 0) return true;
  }
  return false;
}
