import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemHost } from "../../host/processes.ts";
import { readSysctl } from "../../host/sysctl.ts";
import type { IPFamily } from "../../net/ip.ts";
import { systemConfig, type SystemConfig } from "../config.ts";
import { layoutOf, type DataLayout } from "../data/layout.ts";
import { takeDataDirectory } from "../data/lock.ts";
import { oneOf, type Given } from "../flags.ts";
import { applyManifests } from "../manifests/apply.ts";
import { readManifests } from "../manifests/read.ts";
import { bootId, processEnvironment } from "../process.ts";
import { intoSite, livingAnchor, startAnchor } from "../site/anchor.ts";
import { forgetMade, NOTHING_MADE, readMade, writeMade } from "../site/made.ts";
import { nodeAddresses } from "./addresses.ts";
import { announcer } from "./announce.ts";
import { preflight } from "./preflight.ts";
import { supervise, type Supervised } from "./supervisor.ts";

async function kernelFamilies(): Promise<IPFamily[]> {
  const disabled = await readSysctl("net/ipv6/conf/all/disable_ipv6");
  return disabled === undefined || disabled === "1" ? ["IPv4"] : ["IPv4", "IPv6"];
}

/** Finds or makes the namespaces of a private site; undefined for a host site. */
async function siteAnchor(config: SystemConfig, layout: DataLayout, host: ReturnType<typeof systemHost>) {
  const recorded = await readMade(layout.made);
  // What was made before the machine's last boot is gone with it.
  const made = recorded?.boot === bootId() ? recorded : undefined;
  if (recorded !== undefined && made === undefined) await forgetMade(layout.made);
  if (!config.private) {
    await writeMade(layout.made, made ?? { ...NOTHING_MADE, boot: bootId() });
    return undefined;
  }
  const living = await livingAnchor(made?.anchor);
  if (living !== undefined) return living;
  const anchor = await startAnchor(host, config.rootless, layout.run);
  await writeMade(layout.made, { ...NOTHING_MADE, boot: bootId(), rootless: config.rootless, anchor });
  return anchor;
}

/** The end the user asked for: SIGINT removes everything, SIGTERM and SIGHUP leave pods and rules as they are. */
function askedToEnd(): Promise<"stop" | "remove"> {
  return new Promise((resolve) => {
    process.on("SIGINT", () => resolve("remove"));
    process.on("SIGTERM", () => resolve("stop"));
    process.on("SIGHUP", () => resolve("stop"));
  });
}

/** `fairlead up`: takes the data directory, starts server and site, applies manifests, and stays until it is told to end. */
export async function runSystem(given: Given): Promise<number> {
  const output = oneOf("output", (given.values["output"] as string | undefined) ?? "text", ["text", "json"]);
  const announce = announcer(output);
  const config = systemConfig(given, process.getuid?.() ?? 0, process.env, await kernelFamilies());
  const layout = layoutOf(config.directory);
  const files = (given.values["filename"] as string[] | undefined) ?? [];
  const manifests = await readManifests(files);
  const host = systemHost();
  const url = `https://${config.listen.host === "" ? "localhost" : config.listen.host.includes(":") ? `[${config.listen.host}]` : config.listen.host}:${config.listen.port}`;

  const release = await takeDataDirectory(layout, url, config.private);
  const ended = askedToEnd();
  try {
    await preflight(host, config);
    const anchor = await siteAnchor(config, layout, host);
    const env = {
      ...(process.env as Record<string, string>),
      ...processEnvironment({ config, nodeAddresses: await nodeAddresses(host, config) }),
    };
    await writeFile(join(layout.run, "config.json"), JSON.stringify(config), { mode: 0o600 });
    const node = [process.execPath, "--disable-warning=ExperimentalWarning"];
    const start = (name: "server" | "site", into: readonly string[], memory: string): Supervised => {
      const [command, ...args] = [...into, ...node, memory, join(import.meta.dirname, `../${name}/main.ts`)];
      return supervise(
        host,
        { name, command: command!, args, env, log: join(layout.logs, `${name}.log`) },
        (which, why) => announce({ event: "restarted", process: which, why }),
      );
    };
    const server = start("server", [], "--max-semi-space-size=8");
    const site = start("site", intoSite(anchor, config.rootless), "--max-semi-space-size=4");
    const all = [site, server];
    let order: "stop" | "remove" | undefined;
    const stopped = ended.then((asked) => {
      order = asked;
    });
    let failures = 0;
    try {
      const lost = Promise.race(all.map((one) => one.lost));
      const running = async (): Promise<void> => {
        await server.ready;
        announce({ event: "api", server: url, kubeconfig: layout.kubeconfig, seconds: seconds() });
        const applied = applyManifests(layout, manifests, announce);
        await site.ready;
        announce({
          event: "ready",
          server: url,
          kubeconfig: layout.kubeconfig,
          data: layout.directory,
          seconds: seconds(),
        });
        failures = await applied;
      };
      await Promise.race([Promise.race([running().then(() => stopped), stopped]), lost]);
    } catch (error) {
      // Nothing half-made is left behind when it did not come up.
      order ??= "remove";
      throw error;
    } finally {
      announce({ event: "ending", how: order ?? "remove" });
      for (const one of all) await one.end(order ?? "remove");
      if ((order ?? "remove") === "remove") {
        await removeAnchor(layout);
        await forgetMade(layout.made);
      }
    }
    return failures > 0 ? 1 : 0;
  } finally {
    await release();
  }
}

const seconds = (): number => Math.round(performance.now()) / 1000;

async function removeAnchor(layout: DataLayout): Promise<void> {
  const { endAnchor } = await import("../site/remove.ts");
  await endAnchor(layout);
}
