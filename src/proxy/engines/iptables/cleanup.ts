import type { Host } from "../../../host/host.ts";
import { CANARY } from "./frame.ts";
import { LOCALNET_MARK, setRouteLocalnet } from "./localnet.ts";
import { TABLES, type Table } from "./rules.ts";
import { readSaved } from "./saved.ts";
import { IptState } from "./state.ts";
import { Iptables, toolName, type Backend } from "./tools.ts";

const FAMILIES = ["IPv4", "IPv6"] as const;

/** What iptables-save prints of all tables there are: asked so, it makes none. Each table by its name. */
function tablesIn(text: string): Map<Table, string> {
  const tables = new Map<Table, string>();
  for (const part of text.split(/^\*/m).slice(1)) {
    const [name = "", ...lines] = part.split("\n");
    const known = TABLES.find((table) => table === name);
    if (known !== undefined) tables.set(known, lines.join("\n"));
  }
  return tables;
}

async function cleanBackend(host: Host, backend: Backend, signal: AbortSignal): Promise<void> {
  const iptables = new Iptables(host, backend);
  for (const family of FAMILIES) {
    const save = toolName(family, backend, "save");
    if ((await host.which(save)) === undefined) continue;
    const { stdout } = await host.run(save, [], { signal, timeout: 120_000 });
    // Emptied first and removed then, in texts of their own: then nothing leads anywhere, and each is quick.
    const emptied: string[] = [];
    const removed: string[] = [];
    for (const [table, text] of tablesIn(stdout)) {
      const { chains, jumps, generation } = readSaved(text, family, table);
      if (chains.some(({ name }) => name === LOCALNET_MARK)) {
        const state = new IptState();
        state.turnedLocalnetOn = true;
        await setRouteLocalnet(iptables, state, false, signal);
      }
      const names = chains.map(({ name }) => name).filter((name) => name !== LOCALNET_MARK);
      if (generation !== undefined) names.push(CANARY);
      if (names.length + jumps.length === 0) continue;
      const backwards = names.toSorted().toReversed();
      emptied.push(`*${table}`, ...jumps.map(({ from, rule }) => `-D ${from} ${rule}`));
      emptied.push(...backwards.map((name) => `:${name} - [0:0]`), "COMMIT");
      removed.push(`*${table}`, ...backwards.map((name) => `-X ${name}`), "COMMIT");
    }
    for (const lines of [emptied, removed]) {
      if (lines.length > 0) await iptables.restore(family, `${lines.join("\n")}\n`, signal);
    }
  }
}

/**
 * Removes our chains and the jumps to them, of both kernel sides, and nothing else (PRX-268). Nothing there is no fault;
 * neither is a machine without iptables.
 */
export async function cleanup(host: Host, backend: Backend, signal: AbortSignal): Promise<void> {
  const backends: readonly Backend[] = backend === undefined ? ["nft", "legacy"] : [backend];
  const found = await Promise.all(backends.map((one) => host.which(toolName("IPv4", one, "save"))));
  const both = backends.filter((_, at) => found[at] !== undefined);
  // Older machines have but one, which has no name of its own.
  for (const one of both.length === 0 ? [undefined] : both) await cleanBackend(host, one, signal);
}
