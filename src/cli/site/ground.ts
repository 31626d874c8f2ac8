import { endHolder } from "../../host/held-sockets.ts";
import type { Host } from "../../host/host.ts";
import type { ProcessIdentity } from "../../host/process-identity.ts";
import type { SystemConfig } from "../config.ts";
import type { DataLayout } from "../data/layout.ts";
import { bootId } from "../process.ts";
import { livingAnchor, startAnchor } from "./anchor.ts";
import { forgetMade, NOTHING_MADE, readMade, writeMade } from "./made.ts";

/** Where a site stands. */
export interface SiteGround {
  /** Holds a private site's namespaces; undefined for the host's own. */
  readonly anchor: ProcessIdentity | undefined;
  /** An earlier Fairlead left pods and rules here. */
  readonly adopted: boolean;
}

/** Finds what an earlier Fairlead left, or makes the namespaces of a private site, and records it. */
export async function siteGround(host: Host, config: SystemConfig, layout: DataLayout): Promise<SiteGround> {
  const recorded = await readMade(layout.made);
  // What was made before the machine's last boot is gone with it.
  const made = recorded?.boot === bootId() ? recorded : undefined;
  if (recorded !== undefined && made === undefined) await forgetMade(layout.made);
  if (!config.private) {
    if (made === undefined) await writeMade(layout.made, { ...NOTHING_MADE, boot: bootId() });
    return { anchor: undefined, adopted: made !== undefined };
  }
  const living = await livingAnchor(made?.anchor);
  if (living !== undefined) return { anchor: living, adopted: true };
  // The namespaces that it is in are not found any more.
  for (const holder of [made?.holder, made?.doorHolder]) if (holder !== undefined) await endHolder(holder);
  const anchor = await startAnchor(host, config.rootless, layout.run);
  await writeMade(layout.made, { ...NOTHING_MADE, boot: bootId(), rootless: config.rootless, anchor });
  return { anchor, adopted: false };
}
