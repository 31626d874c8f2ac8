import type { Pod } from "../../api/generated/types.ts";
import { canonicalIP, familyOf } from "../../net/ip.ts";

/** The addresses that are a pod's now, in canonical form: none before it has any, nor once it ends or has ended. */
export function addressesOf(pod: Pod): string[] {
  const { status, metadata } = pod;
  if (metadata.deletionTimestamp !== undefined || status?.phase === "Succeeded" || status?.phase === "Failed")
    return [];
  const written = [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)];
  return [...new Set(written.flatMap((ip) => (ip === undefined || familyOf(ip) === undefined ? [] : canonicalIP(ip))))];
}
