import type { Host } from "../host/host.ts";
import { loadText } from "../host/nft.ts";

/** A table of ours that holds nothing but a chain that does nothing. */
const TABLE = "fairlead-held";
const FAMILIES = ["ip", "ip6"] as const;

/**
 * Keeps the kernel translating connections that are under way. With the last nat chain of a network namespace the kernel takes its
 * translation out of the path of all packets, also of those connections it has translated so far (nf_nat_unregister_fn): they would hang.
 * One such nat chain a family holds it there, and costs a new connection next to nothing. Where nft is not there, other
 * rules than nftables' were ours, and the tables of iptables stay when their rules go.
 */
export async function holdTranslation(host: Host, signal: AbortSignal): Promise<void> {
  if ((await host.which("nft")) === undefined) return;
  const lines = FAMILIES.flatMap((family) => [
    `add table ${family} ${TABLE}`,
    `add chain ${family} ${TABLE} held { type nat hook prerouting priority -100; policy accept; }`,
    // Connection tracking itself is there only while some rule asks for it (nf_ct_netns_get), and without it nothing is translated.
    `flush chain ${family} ${TABLE} held`,
    `add rule ${family} ${TABLE} held ct state new accept`,
  ]);
  await loadText(host, `${lines.join("\n")}\n`, signal);
}

/** Takes that away again: there are other nat chains, or nobody who is to be served. */
export async function releaseTranslation(host: Host, signal: AbortSignal): Promise<void> {
  if ((await host.which("nft")) === undefined) return;
  const lines = FAMILIES.flatMap((family) => [`add table ${family} ${TABLE}`, `delete table ${family} ${TABLE}`]);
  await loadText(host, `${lines.join("\n")}\n`, signal);
}
