import { readFileSync } from "node:fs";
import { CorefileError } from "../../dns/configuration/corefile/fault.ts";
import type { Command } from "../command.ts";
import { DNS_FLAGS, dnsRun, flagConfiguration } from "../dns/dns-flags.ts";
import { readCorefile } from "../dns/read-corefile.ts";
import { runDns, type Read } from "../dns/run.ts";
import { Failure } from "../failure.ts";
import { fileFault } from "../file-fault.ts";
import { refuseWords, type Given } from "../flags.ts";

/** What is to be done, by a Corefile or by flags. */
function configurationOf(given: Given, corefile: string | undefined): Read {
  if (corefile === undefined) return { configuration: flagConfiguration(given, (path) => readFileSync(path, "utf8")) };
  try {
    const read = readCorefile(corefile);
    return { configuration: read.configuration, corefile: read };
  } catch (cause) {
    if (cause instanceof CorefileError) throw new Failure(`the Corefile cannot be taken:\n${cause.message}`, { cause });
    throw new Failure(`reading the Corefile: ${fileFault(cause, corefile)}`, { cause });
  }
}

export const command: Command = {
  summary: "answer a cluster's names, for any API server, in the foreground",
  usage: "dns [--kubeconfig FILE] [--corefile FILE] [flags]",
  flags: DNS_FLAGS,
  async run(given) {
    refuseWords("dns", given, "A configuration is named with --corefile FILE");
    const run = dnsRun(given);
    const read = configurationOf(given, run.corefile);
    const isValidated = given.values["validate"] === true;
    if (given.values["print-config"] === true) {
      process.stdout.write(`${JSON.stringify(read.configuration, undefined, 2)}\n`);
    }
    if (isValidated || given.values["print-config"] === true) {
      for (const warning of read.corefile?.warnings ?? []) process.stderr.write(`${warning}\n`);
      if (isValidated) process.stderr.write("the configuration can be used\n");
      return 0;
    }
    return runDns(run, read);
  },
};
