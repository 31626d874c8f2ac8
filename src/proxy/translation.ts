import type { Host } from "../host/host.ts";
import { loadText } from "../host/nft.ts";

/** A table of ours that holds one chain, which does nothing. */
const TABLE = "fairlead-held";
const FAMILIES = ["ip", "ip6"] as const;

/**
 * Keeps connections under way that other rules have begun to translate, for a mode that has no rules of that sort itself.
 *
 * With the last nat chain of a network namespace the kernel takes its translation out of the path of all packets, also of connections it
 * has translated so far (nf_nat_unregister_fn), and with the last rule that asks for it connection tracking itself
 * (nf_ct_netns_put): they would be reset. One nat chain a family with one rule that looks at the state holds both, and costs a new
 * connection next to nothing. Where nft is missing, other rules than nftables' were ours, and the tables of iptables stay when rules go.
 */
export async function holdTranslation(host: Host, signal: AbortSignal): Promise<void> {
  if ((await host.which("nft")) === undefined) return;
  const lines = FAMILIES.flatMap((family) => [
    `add table ${family} ${TABLE}`,
    `add chain ${family} ${TABLE} held { type nat hook prerouting priority -100; policy accept; }`,
    `flush chain ${family} ${TABLE} held`,
    `add rule ${family} ${TABLE} held ct state established accept`,
  ]);
  await loadText(host, `${lines.join("\n")}\n`, signal);
}

/** Takes that away again: there are rules of that sort, or nobody who is to be served. */
export async function releaseTranslation(host: Host, signal: AbortSignal): Promise<void> {
  if ((await host.which("nft")) === undefined) return;
  const lines = FAMILIES.flatMap((family) => [`add table ${family} ${TABLE}`, `delete table ${family} ${TABLE}`]);
  await loadText(host, `${lines.join("\n")}\n`, signal);
}
