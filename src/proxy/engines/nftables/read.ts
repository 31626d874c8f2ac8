import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import { TABLE, TABLE_FAMILY, type SetName } from "./elements.ts";
import { hookOf, LAYOUT } from "./frame.ts";
import { LOCAL_BIT, MAX_ENDPOINT, PORT_SHIFT, priorityNumber, type ListName } from "./listid.ts";
import { NftFailed } from "../../../host/nft.ts";
import type { PortNumbers } from "./numbering.ts";
import { shapeOf, type Shape } from "./shape.ts";
import { NftState } from "./state.ts";

interface ListedChain {
  readonly name: string;
  readonly type?: string;
  readonly hook?: string;
  readonly prio?: number;
}

interface Listed {
  readonly chains: readonly ListedChain[];
  readonly sets: readonly ListedSet[];
}

interface ListedSet {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

/** Maps the kernel fills by itself: not ours to compare. */
const DYNAMIC = new Set(["aff", "borrowed"]);

/** A value of `nft -j` in the words of `nft -f`. */
function text(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  const found = value as {
    concat?: unknown[];
    prefix?: { addr: string; len: number };
    elem?: { val: unknown };
    goto?: { target: string };
    range?: [string, string];
  };
  if (found.concat !== undefined) return found.concat.map(text).join(" . ");
  if (found.prefix !== undefined) return `${found.prefix.addr}/${found.prefix.len}`;
  if (found.elem !== undefined) return text(found.elem.val);
  if (found.goto !== undefined) return `goto ${found.goto.target}`;
  if (found.range !== undefined) return found.range.join("-");
  throw new TypeError(`reading our nftables table: a value of unknown form: ${JSON.stringify(value)}`);
}

async function listed(host: Host, what: readonly string[], signal?: AbortSignal): Promise<Listed | undefined> {
  const result = await host.run("nft", ["-j", "list", ...what], { signal, timeout: 120_000 });
  if (result.code !== 0) {
    if (/No such file or directory/.test(result.stderr)) return undefined;
    throw new NftFailed(result.stderr, `list ${what.join(" ")}`);
  }
  const { nftables } = JSON.parse(result.stdout) as {
    nftables: { chain?: ListedChain; set?: ListedSet; map?: ListedSet }[];
  };
  return {
    chains: nftables.map((one) => one.chain).filter((one) => one !== undefined),
    sets: nftables.map((one) => one.map ?? one.set).filter((one) => one !== undefined),
  };
}

/** A chain in another place than ours of its name cannot be moved, only made anew with the table. */
const isHookedAsOurs = ({ name, type, hook, prio }: ListedChain): boolean =>
  hookOf(name) === (hook === undefined ? undefined : `${type} ${hook} ${prio}`);

const stateValue = (sets: readonly ListedSet[], key: number): number | undefined => {
  const state = sets.find((set) => set.name === "state")?.elem as [unknown, unknown][] | undefined;
  const found = state?.find(([name]) => Number(name) === key);
  return found === undefined ? undefined : Number(found[1]);
};

/** The generation marker of one family's table; undefined where there is none. */
export async function readGeneration(host: Host, family: IPFamily): Promise<number | undefined> {
  const found = await listed(host, ["map", TABLE_FAMILY[family], TABLE, "state"]);
  return found === undefined ? undefined : stateValue(found.sets, 0);
}

/** Which target stands in which slot, and which number an endpoint has: so that a restart moves nobody. */
function foundPorts(state: NftState, family: IPFamily): Map<number, PortNumbers> {
  const ports = new Map<
    number,
    { port: number; slots: { [l in ListName]?: string[] }; endpoints: Map<string, number> }
  >();
  const portOf = (number: number): NonNullable<ReturnType<typeof ports.get>> => {
    const port = number >>> PORT_SHIFT;
    const known = ports.get(port) ?? { port, slots: {}, endpoints: new Map<string, number>() };
    ports.set(port, known);
    return known;
  };
  const put = (key: string, target: string): void => {
    const [list = "", slot = ""] = key.split(" . ");
    const number = priorityNumber(list);
    const port = portOf(number);
    const name = (number & LOCAL_BIT) === 0 ? "all" : "local";
    (port.slots[name] ??= [])[Number(slot)] = target;
  };
  const targets = new Map<number, string>();
  for (const set of ["ept", "epu", "eps", "epa"] as const) {
    for (const [key, { data }] of state.table.of(family, set)) {
      const number = priorityNumber(key);
      targets.set((number & ~LOCAL_BIT) >>> 0, data!);
      portOf(number).endpoints.set(data!, number & MAX_ENDPOINT);
    }
  }
  for (const set of ["bet", "beu", "bes", "bea"] as const) {
    for (const [key, { data }] of state.table.of(family, set)) put(key, data!);
  }
  for (const [key, { data }] of state.table.of(family, "aslot")) put(key, targets.get(priorityNumber(data!)) ?? "");
  return ports;
}

function foundShapes(state: NftState, family: IPFamily): Map<number, Shape> {
  const shapes = new Map<number, Shape>();
  for (const [key, { data }] of state.table.of(family, "shapes")) {
    const shape = shapeOf(data!.replace("goto ", ""));
    if (shape !== undefined) shapes.set(priorityNumber(key) >>> 2, shape);
  }
  return shapes;
}

/** What the kernel holds of ours; only our own tables are listed. */
export async function read(host: Host, signal: AbortSignal): Promise<NftState> {
  const state = new NftState();
  for (const family of ["IPv4", "IPv6"] as const) {
    const found = await listed(host, ["table", TABLE_FAMILY[family], TABLE], signal);
    if (found === undefined) continue;
    const { chains, sets } = found;
    if (stateValue(sets, 1) !== LAYOUT || !chains.every(isHookedAsOurs)) {
      state.foreignLayouts.add(family);
      continue;
    }
    for (const set of sets) {
      if (DYNAMIC.has(set.name) || set.name === "state") continue;
      for (const element of set.elem ?? []) {
        const [key, data] = Array.isArray(element) ? (element as [unknown, unknown]) : [element, undefined];
        const held = { data: data === undefined ? undefined : text(data), count: set.name === "shapes" ? 1 : 0 };
        state.table.put(family, set.name as SetName, text(key), held);
      }
    }
    state.adopt(family, stateValue(sets, 0) ?? 0, foundPorts(state, family), foundShapes(state, family));
  }
  return state;
}
