import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attach } from "../../host/attach.ts";
import { systemHost } from "../../host/processes.ts";
import type { Command } from "../command.ts";
import { wellKnownAddresses, type SystemConfig } from "../config.ts";
import { dataDirectory, layoutOf } from "../data/layout.ts";
import { holderOf } from "../data/lock.ts";
import { Failure, UsageError } from "../failure.ts";
import { resolvConf } from "../resolv-conf.ts";
import { intoSite } from "../site/anchor.ts";
import { readMade } from "../site/made.ts";

/** In a mount namespace of its own, only the file that resolvers read is another one. A symbolic link is followed to where it leads. */
const WITH_RESOLV_CONF =
  'target=$(readlink -f /etc/resolv.conf || echo /etc/resolv.conf); [ -e "$target" ] || { mkdir -p "${target%/*}" && : > "$target"; }; mount --bind "$1" "$target" && shift && exec "$@"';

export const command: Command = {
  summary: "a shell, or a command, where service names and addresses work",
  usage: "shell [--data DIR] [-n NAMESPACE] [-- COMMAND…]",
  flags: {
    data: { type: "string", value: "DIR", help: "the data directory of the Fairlead that is entered" },
    namespace: { type: "string", short: "n", value: "NAMESPACE", help: "whose Services have short names (default)" },
  },
  async run({ values, positionals, rest }) {
    if (positionals.length > 0)
      throw new UsageError(`shell: put the command after --: fairlead shell -- ${positionals.join(" ")}`);
    const namespace = (values["namespace"] as string | undefined) ?? "default";
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace))
      throw new UsageError(`shell: ${JSON.stringify(namespace)} is not the name of a namespace`);
    const uid = process.getuid?.() ?? 0;
    const layout = layoutOf(dataDirectory(values["data"] as string | undefined, uid, process.env));
    if ((await holderOf(layout)) === undefined) {
      throw new Failure(
        `entering the site: no Fairlead runs on the data directory ${layout.directory}; start one with 'fairlead up', or name another with --data DIR`,
      );
    }
    const config = JSON.parse(await readFile(join(layout.run, "config.json"), "utf8")) as SystemConfig;
    if (!config.private && uid !== 0)
      throw new Failure(
        "entering the site: this Fairlead shares the host's network, and changing the resolver of a command needs root",
      );
    const made = await readMade(layout.made);
    const resolver = join(layout.run, `resolv.${namespace}.conf`);
    await writeFile(resolver, resolvConf(wellKnownAddresses(config).dns, namespace, config.clusterDomain));
    const program = rest.length > 0 ? rest : [process.env["SHELL"] ?? "/bin/sh"];
    const [name, ...args] = [
      ...intoSite(made?.anchor, config.rootless),
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "--",
      "sh",
      "-c",
      WITH_RESOLV_CONF,
      "sh",
      resolver,
      ...program,
    ];
    return attach(systemHost(), name!, args);
  },
};
