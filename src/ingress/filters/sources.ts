import { addressSet } from "../../net/address-set.ts";
import type { SourceRanges } from "../settings/settings.ts";

/** What ranges say of a client: none, where there is only something denied, and not this one. */
export type SourceVerdict = "granted" | "denied" | "none";

/** `settings.sources`: who may ask, by address. */
export function sources({ allow, deny }: SourceRanges): (client: string) => SourceVerdict {
  const allowed = addressSet(allow);
  const denied = addressSet(deny);
  return (client) =>
    denied.has(client) ? "denied" : allowed.isEmpty ? "none" : allowed.has(client) ? "granted" : "denied";
}
