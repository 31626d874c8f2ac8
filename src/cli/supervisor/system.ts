import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../observe/clock.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { systemHost } from "../../host/processes.ts";
import { systemConfig } from "../config.ts";
import { layoutOf } from "../data/layout.ts";
import { refuseHeld, takeDataDirectory } from "../data/lock.ts";
import { kernelFamilies } from "../families.ts";
import { oneOf, type Given } from "../flags.ts";
import { manifestTexts, type ManifestText } from "../manifests/files.ts";
import { processEnvironment } from "../process.ts";
import { intoSite } from "../site/anchor.ts";
import { siteGround } from "../site/ground.ts";
import { forgetSite, removeSite } from "../site/remove.ts";
import { nodeAddresses } from "./addresses.ts";
import { announcer, type Announce } from "./announce.ts";
import { endOrphans } from "./orphans.ts";
import { preflight } from "./preflight.ts";
import { supervise, type Supervised } from "./supervisor.ts";

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
  const say = announcer(output);
  let refused = 0;
  const announce: Announce = (said) => {
    if (said.event === "refused") refused += 1;
    say(said);
  };
  const config = systemConfig(given, process.getuid?.() ?? 0, process.env, await kernelFamilies());
  const layout = layoutOf(config.directory);
  const files = (given.values["filename"] as string[] | undefined) ?? [];
  const manifests = await manifestTexts(files);
  const host = systemHost();
  const url = `https://${config.listen.host === "" ? "localhost" : config.listen.host.includes(":") ? `[${config.listen.host}]` : config.listen.host}:${config.listen.port}`;

  // All that can be known without making anything comes first, so that nothing has to be taken back.
  await refuseHeld(layout);
  await endOrphans(layout);
  await preflight(host, config, layout.made);
  const env = {
    ...(process.env as Record<string, string>),
    ...processEnvironment({ config, nodeAddresses: await nodeAddresses(host, config) }),
  };
  const taken = await takeDataDirectory(layout, url, config.private);
  const ended = askedToEnd();
  let stands = false;
  try {
    await writeFile(join(layout.run, "config.json"), JSON.stringify(config), { mode: 0o600 });
    const node = [process.execPath, "--disable-warning=ExperimentalWarning"];
    const start = (name: "server" | "site", into: readonly string[], memory: string): Supervised => {
      const [command, ...args] = [...into, ...node, memory, join(import.meta.dirname, `../${name}/main.ts`)];
      return supervise(
        host,
        {
          name,
          command,
          args,
          env,
          log: join(layout.logs, `${name}.log`),
          record: layout.processes[name === "server" ? 0 : 1],
        },
        (which, why) => announce({ event: "restarted", process: which, why }),
        ({ http, https, remarks }) => announce({ event: "ingress", http, https, remarks }),
      );
    };
    const server = start("server", [], "--max-semi-space-size=8");
    let site: Supervised | undefined;
    let order: "stop" | "remove" | undefined;
    const stopped = ended.then((asked) => {
      order = asked;
    });
    let isReady = false;
    let adopted = false;
    try {
      const ground = await siteGround(host, config, layout);
      adopted = ground.adopted;
      stands = true;
      const ours = start("site", intoSite(ground.anchor, config.rootless), "--max-semi-space-size=4");
      site = ours;
      const documents = manifests.length === 0 ? undefined : readDocuments(manifests);
      const running = async (): Promise<void> => {
        await server.ready;
        announce({ event: "api", server: url, kubeconfig: layout.kubeconfig, seconds: seconds() });
        const applied = documents?.then(({ applyManifests, read }) => applyManifests(layout, read, announce));
        // Its failure is heard below, once the site is ready.
        applied?.catch(() => {});
        const { hostDns } = await ours.ready;
        isReady = true;
        announce({
          event: "ready",
          server: url,
          kubeconfig: layout.kubeconfig,
          data: layout.directory,
          seconds: seconds(),
        });
        if (hostDns !== undefined) announce({ event: "host-dns", says: hostDns });
        await applied;
        tidyAfterStart(systemClock);
      };
      await Promise.race([running().then(() => stopped), stopped, server.lost, ours.lost]);
    } catch (error) {
      // What did not come up leaves nothing half-made behind; what was there before it, or worked once, is not its to remove.
      order ??= isReady || adopted ? "stop" : "remove";
      throw error;
    } finally {
      const how = order ?? "stop";
      announce({ event: "ending", how });
      // The site ends its pods through the API, so the server stays until that is done.
      const removed = await site?.end(how);
      await server.end(how);
      if (how === "remove") await (removed === true ? forgetSite(layout) : removeSite(host, layout));
    }
    return refused > 0 ? 1 : 0;
  } finally {
    await (stands ? taken.release() : taken.discard());
  }
}

/** What reads and applies manifests is large, so it is loaded while the system starts. */
async function readDocuments(texts: readonly ManifestText[]) {
  const [{ parseManifests }, { applyManifests }] = await Promise.all([
    import("../manifests/read.ts"),
    import("../manifests/apply.ts"),
  ]);
  return { applyManifests, read: texts.flatMap(({ file, text }) => parseManifests(file, text)) };
}

const seconds = (): number => Math.round(performance.now()) / 1000;
