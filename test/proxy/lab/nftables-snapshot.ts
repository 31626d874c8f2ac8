import type { Host } from "../../../src/host/host.ts";
import type { IPFamily } from "../../../src/net/ip.ts";
import { TABLE, TABLE_FAMILY, type SetName } from "../../../src/proxy/engines/nftables/elements.ts";
import { LOCAL_BIT, priorityNumber, priorityText } from "../../../src/proxy/engines/nftables/listid.ts";
import { read } from "../../../src/proxy/engines/nftables/read.ts";
import { shapeOf } from "../../../src/proxy/engines/nftables/shape.ts";
import type { NftState } from "../../../src/proxy/engines/nftables/state.ts";

const FAMILIES = ["IPv4", "IPv6"] as const;
const ENTRANCES: ReadonlySet<SetName> = new Set(["fe", "feo", "fer", "feor", "np", "npo"]);
/** What is only said by where ways in lead; of these the number must be the same. */
const INSIDE: ReadonlySet<SetName> = new Set(["bet", "beu", "bes", "bea", "aslot", "ept", "epu", "eps", "epa"]);
const SHAPE = 0x1ffc;

/** Where a way in leads, without the numbers that differ from start to start. */
function lead(state: NftState, family: IPFamily, key: string, data: string): string {
  const number = priorityNumber(data);
  const chain = state.table.of(family, "shapes").get(priorityText(number & SHAPE))?.data ?? "";
  const shape = shapeOf(chain.replace("goto ", ""));
  if (shape === undefined) return `nowhere: ${chain}`;
  const list = (number & ~(SHAPE | 3)) >>> 0;
  const l4 = shape.keepsPort ? "a" : /tcp|udp|sctp/.exec(key)![0][0]!;
  const targets: string[] = [];
  for (let slot = 0; slot < shape.slots; slot++) {
    const at = `${priorityText(list)} . ${slot}`;
    if (shape.affinity === undefined)
      targets.push(state.table.of(family, `be${l4}` as SetName).get(at)?.data ?? "hole");
    else {
      const endpoint = priorityNumber(state.table.of(family, "aslot").get(at)?.data ?? "none");
      const named = priorityText((endpoint | (list & LOCAL_BIT)) >>> 0);
      targets.push(state.table.of(family, `ep${l4}` as SetName).get(named)?.data ?? "hole");
    }
  }
  const ordered = shape.choice === "client" ? targets : targets.toSorted();
  return `kind ${number & 3}, ${shape.choice}, affinity ${shape.affinity ?? "none"}: ${ordered.join(", ")}`;
}

/** The fixed chains, as nft lists them. */
async function chains(host: Host, family: IPFamily): Promise<string> {
  const { stdout } = await host.run("nft", ["-s", "list", "table", TABLE_FAMILY[family], TABLE]);
  const found = stdout.matchAll(/^\tchain (\S+) \{\n[^]*?^\t\}\n/gm);
  return [...found].flatMap(([text, name]) => (/^(lb|rr|ch|aff|settle)/.test(name!) ? [] : [text])).join("");
}

/** What our tables say, for comparison with those of another start. */
export async function nftablesSnapshot(host: Host): Promise<string> {
  const state = await read(host, new AbortController().signal);
  const lines: string[] = [];
  const inside = new Map<string, number>();
  for (const { family, set, key, data } of state.table.all()) {
    if (set === "shapes") continue;
    if (INSIDE.has(set)) inside.set(`${family} ${set}`, (inside.get(`${family} ${set}`) ?? 0) + 1);
    else if (ENTRANCES.has(set)) lines.push(`${family} ${set} ${key} -> ${lead(state, family, key, data!)}`);
    else lines.push(`${family} ${set} ${key} : ${data}`);
  }
  for (const [set, count] of inside) lines.push(`${set}: ${count} elements`);
  const texts = await Promise.all(FAMILIES.map((family) => chains(host, family)));
  return [...lines.toSorted(), ...texts].join("\n");
}

/** What our tables hold, number by number, but for what counts transactions. */
export async function nftablesExact(host: Host): Promise<string> {
  const state = await read(host, new AbortController().signal);
  const lines = [...state.table.all()].map(({ family, set, key, data }) => `${family} ${set} ${key} : ${data}`);
  return lines.toSorted().join("\n");
}
