import type { Command } from "../command.ts";
import { refuseWords } from "../flags.ts";
import { INGRESS_FLAGS, ingressRun } from "../ingress/ingress-flags.ts";
import { runMigrate } from "../ingress/migrate/run.ts";
import { runIngress } from "../ingress/run.ts";

export const command: Command = {
  summary: "serve a cluster's Ingresses, for any API server, in the foreground",
  usage: "ingress [--kubeconfig FILE] [flags] | ingress --migrate -f FILE [-o json]",
  flags: INGRESS_FLAGS,
  async run(given) {
    refuseWords("ingress", given, "Manifests are named with --migrate -f FILE");
    const run = ingressRun(given);
    if ("migrate" in run) return runMigrate(run, (text) => void process.stdout.write(text));
    return runIngress(run);
  },
};
