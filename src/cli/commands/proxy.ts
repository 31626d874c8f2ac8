import { readFileSync, writeFileSync } from "node:fs";
import { encodeYaml } from "../../proxy/configuration/encode.ts";
import type { Command } from "../command.ts";
import { Failure } from "../failure.ts";
import { refuseWords } from "../flags.ts";
import { PROXY_FLAGS, proxyConfiguration } from "../proxy/proxy-flags.ts";
import { cleanAll, initOnly, runProxy } from "../proxy/run.ts";
import { VERSION } from "../version.ts";

export const command: Command = {
  summary: "carry the Service traffic of one node, for any API server, in the foreground",
  usage: "proxy [--kubeconfig FILE] [--hostname-override NODE] [flags]",
  flags: PROXY_FLAGS,
  async run(given) {
    refuseWords("proxy", given, "The Node is named with --hostname-override NODE");
    const { values } = given;
    if (values["version"] === true) {
      process.stdout.write(`${VERSION}\n`);
      return 0;
    }
    const read = proxyConfiguration(given, (path) => readFileSync(path, "utf8"));
    const file = values["write-config-to"] as string | undefined;
    if (file !== undefined) {
      try {
        writeFileSync(file, encodeYaml(read.configuration));
      } catch (cause) {
        throw new Failure(`writing the configuration to ${file}: ${(cause as Error).message}`, { cause });
      }
      return 0;
    }
    if (values["cleanup"] === "true") return cleanAll(read);
    if (values["init-only"] === "true") return initOnly(read);
    return runProxy(read, {
      master: values["master"] as string | undefined,
      configFile: values["config"] as string | undefined,
    });
  },
};
