import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { Desired } from "../../engine.ts";
import type { Element, IpvsPart } from "./compile.ts";
import { jumpRule, JUMPS, TABLES, type IpvsFrame } from "./frame.ts";
import type { Iptables } from "./iptables.ts";
import type { MarkedElement } from "./ledger.ts";
import { FAMILIES, INTERFACE, markKey, markText, setCreation, setName, SETS, type SetName } from "./names.ts";
import { serversDue } from "./servers.ts";
import type { AppliedPart, IpvsState } from "./state.ts";
import { runAddresses, runServers, runSets } from "./tools.ts";

export interface ApplyOptions {
  /** Whether a virtual server is one that must never be removed (PRX-188). */
  readonly isExcluded: (key: string) => boolean;
}

const addLine = ({ family, set, key, mark }: MarkedElement): string =>
  `add ${setName(family, set)} ${key}${mark === undefined ? "" : ` skbmark ${markText(mark)}`}`;
const deleteLine = ({ family, set, key }: Element): string => `del ${setName(family, set)} ${key}`;
const lengthOf = (family: IPFamily): number => (family === "IPv4" ? 32 : 128);
/** `nodad`: it is nobody else's. Deprecated: never a source for other destinations. */
const bindLine = ({ family, key }: Element): string =>
  `addr add ${key}/${lengthOf(family)} dev ${INTERFACE}${family === "IPv6" ? " nodad preferred_lft 0" : ""}`;
const unbindLine = ({ family, key }: Element): string => `addr del ${key}/${lengthOf(family)} dev ${INTERFACE}`;

/** What is due: keys whose part is not the one applied. */
function dueKeys(next: Desired<IpvsPart, IpvsFrame>, state: IpvsState): string[] {
  const candidates = state.frame === undefined ? undefined : next.changed;
  const keys = candidates ?? new Set([...next.parts.keys(), ...state.parts.keys()]);
  return [...keys].filter((key) => next.parts.get(key) !== state.parts.get(key)?.part);
}

/** Gives the lists for outsiders their marks. */
function settlePart(part: IpvsPart, was: AppliedPart | undefined, state: IpvsState): AppliedPart {
  const elements: MarkedElement[] = [...part.elements];
  const servers = new Map(part.servers);
  const marks = new Map<string, number>();
  for (const { id, family, protocol, ways, choice, targets, serving } of part.marked) {
    const outside = ways.map((key) => ({ family, set: "outside", key }) as const);
    const mark = was?.marks.get(id) ?? state.takeMark(protocol, state.ledger.markOf(outside[0]!));
    marks.set(id, mark);
    servers.set(markKey(family, mark), { choice, targets, serving });
    for (const element of outside) elements.push({ ...element, mark });
  }
  return { part, elements, servers, marks };
}

/** Takes new parts into the state; answers the virtual servers they touch. What goes first, so that a way in may change hands. */
function take(keys: readonly string[], next: ReadonlyMap<string, IpvsPart>, state: IpvsState): Set<string> {
  const touched = new Set<string>();
  const before = keys.map((key) => state.parts.get(key));
  for (const was of before) {
    state.ledger.replace(was?.elements ?? [], []);
    for (const name of was?.servers.keys() ?? []) {
      touched.add(name);
      state.wanted.delete(name);
    }
  }
  for (const [at, key] of keys.entries()) {
    const part = next.get(key);
    const was = before[at];
    const is = part === undefined ? undefined : settlePart(part, was, state);
    state.ledger.replace([], is?.elements ?? []);
    for (const [name, server] of is?.servers ?? []) {
      touched.add(name);
      state.wanted.set(name, server);
    }
    for (const [id, mark] of was?.marks ?? []) if (!is?.marks.has(id)) state.freeMark(mark);
    if (is === undefined) state.parts.delete(key);
    else state.parts.set(key, is);
  }
  return touched;
}

/**
 * Writes what the ledger and the virtual servers are due, in an order in which nobody is refused who is to be served:
 * a way in is noted before its server is made, an address is bound after, and what refuses goes last.
 */
async function write(
  host: Host,
  state: IpvsState,
  touched: Iterable<string>,
  { isExcluded }: ApplyOptions,
  signal: AbortSignal,
): Promise<void> {
  const { come, go } = state.ledger.due();
  const isLate = ({ set }: Element): boolean => set === "outside";
  await runSets(
    host,
    [...go.filter(isLate).map(deleteLine), ...come.filter((one) => !isLate(one)).map(addLine)],
    signal,
  );
  await runServers(host, serversDue(state, touched, isExcluded), signal);
  const isAddress = ({ set }: Element): boolean => set === "addresses";
  await runAddresses(host, [...go.filter(isAddress).map(unbindLine), ...come.filter(isAddress).map(bindLine)], signal);
  await runSets(
    host,
    [...go.filter((one) => !isLate(one)).map(deleteLine), ...come.filter(isLate).map(addLine)],
    signal,
  );
  state.ledger.settle();
}

/** Our chains, whole, and the calls to them where they are missing. */
async function writeRules(iptables: Iptables, frame: IpvsFrame, signal: AbortSignal): Promise<void> {
  for (const family of frame.families) {
    const held = await iptables.save(family, signal);
    const lines = TABLES.flatMap((table) => {
      const missing = JUMPS.filter((jump) => jump.table === table && !held.get(table)?.has(jumpRule(jump)));
      const calls = missing.map(({ from, to }) => `-I ${from} -j ${to}`);
      return [`*${table}`, ...frame.rules[family]![table], ...calls, "COMMIT"];
    });
    await iptables.restore(family, lines, signal);
  }
}

async function makeGround(host: Host, { families }: IpvsFrame, signal: AbortSignal): Promise<void> {
  const names = Object.keys(SETS) as SetName[];
  await runSets(
    host,
    families.flatMap((family) => names.map((set) => setCreation(family, set))),
    signal,
  );
  // Apart: in one request the kernel brings it up first, and gives it an address of its own.
  const lines = [
    `link add ${INTERFACE} type dummy`,
    `link set ${INTERFACE} arp off addrgenmode none`,
    `link set ${INTERFACE} up`,
  ];
  await runAddresses(host, lines, signal);
}

/** Addresses that stand in the set are bound, and no others: somebody may have been at the interface. */
async function bindAll(host: Host, state: IpvsState, signal: AbortSignal): Promise<void> {
  const { stdout } = await host.check("ip", ["-json", "addr", "show", "dev", INTERFACE], { signal });
  const [link] = JSON.parse(stdout) as { addr_info?: { family: string; local: string; scope: string }[] }[];
  const bound = new Map(
    (link?.addr_info ?? [])
      .filter(({ scope }) => scope !== "link")
      .map(({ family, local }) => [local, family === "inet" ? ("IPv4" as const) : ("IPv6" as const)]),
  );
  const lines: string[] = [];
  for (const family of FAMILIES) {
    for (const key of state.ledger.keysOf(family, "addresses")) {
      if (!bound.delete(key)) lines.push(bindLine({ family, set: "addresses", key }));
    }
  }
  for (const [key, family] of bound) lines.push(unbindLine({ family, set: "addresses", key }));
  await runAddresses(host, lines, signal);
}

/** Makes the kernel hold what `next` says. Throws; then nothing is known and `read` must come first. */
export async function apply(
  host: Host,
  iptables: Iptables,
  next: Desired<IpvsPart, IpvsFrame>,
  state: IpvsState,
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<IpvsState> {
  const { frame } = next;
  const isFirst = state.frame === undefined;
  const isNewFrame = state.frame !== frame;
  if (isNewFrame) {
    if (isFirst) await makeGround(host, frame, signal);
    state.ledger.replace(state.frame?.elements ?? [], frame.elements);
    await write(host, state, [], options, signal);
    await writeRules(iptables, frame, signal);
  }
  const touched = take(dueKeys(next, state), next.parts, state);
  if (isNewFrame) state.ledger.replace(state.frame?.last ?? [], frame.last);
  state.frame = frame;
  if (isFirst) {
    state.ledger.sweep(frame.families);
    state.forgetFound();
    for (const name of state.servers.keys()) touched.add(name);
  }
  await write(host, state, touched, options, signal);
  if (isFirst) await bindAll(host, state, signal);
  return state;
}
