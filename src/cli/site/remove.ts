import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { endHolder } from "../../host/held-sockets.ts";
import type { Host } from "../../host/host.ts";
import { signalProcess, waitForEnd, type ProcessIdentity } from "../../host/process-identity.ts";
import type { SystemConfig } from "../config.ts";
import type { DataLayout } from "../data/layout.ts";
import { Failure } from "../failure.ts";
import { bootId } from "../process.ts";
import { intoSite, livingAnchor } from "./anchor.ts";
import { forgetMade, readMade } from "./made.ts";

/** Ends the process that holds a private site's namespaces; they go with it. */
async function endAnchor(anchor: ProcessIdentity | undefined): Promise<void> {
  if (anchor === undefined || !(await signalProcess(anchor, "SIGKILL"))) return;
  if (!(await waitForEnd(anchor, 10_000)))
    throw new Failure(`ending the site's anchor process ${anchor.pid}: it has not ended within 10 s`);
}

/** After the site has removed what it made: closes the sockets of its DNS and Ingress, ends its namespaces and forgets the record. */
export async function forgetSite(layout: DataLayout): Promise<void> {
  const made = await readMade(layout.made);
  for (const holder of [made?.holder, made?.doorHolder]) if (holder !== undefined) await endHolder(holder);
  await endAnchor(made?.anchor);
  await forgetMade(layout.made);
}

/** Takes away what a Fairlead that is dead left behind. */
export async function removeSite(host: Host, layout: DataLayout): Promise<void> {
  const made = await readMade(layout.made);
  if (made === undefined) return;
  if (made.boot === bootId()) {
    const config = JSON.parse(await readFile(join(layout.run, "config.json"), "utf8")) as SystemConfig;
    const anchor = await livingAnchor(made.anchor);
    if (anchor !== undefined || !config.private) {
      const [command, ...args] = [
        ...intoSite(anchor, config.rootless),
        process.execPath,
        "--disable-warning=ExperimentalWarning",
        join(import.meta.dirname, "removal.ts"),
        config.directory,
      ];
      await host.check(command, args, { timeout: 120_000 });
    }
  }
  await forgetSite(layout);
}
