import type { Host } from "../../../host/host.ts";
import { TABLE } from "./elements.ts";
import { loadText } from "../../../host/nft.ts";

/** Removes our tables of both families, and nothing else (PRX-268). Adding first makes it no fault that one is absent. */
export async function cleanup(host: Host, signal: AbortSignal): Promise<void> {
  const lines = ["ip", "ip6"].flatMap((ip) => [`add table ${ip} ${TABLE}`, `delete table ${ip} ${TABLE}`, ""]);
  await loadText(host, lines.join("\n"), signal);
}
