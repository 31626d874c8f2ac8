import type { Command } from "../command.ts";
import { Failure } from "../failure.ts";
import { refuseWords } from "../flags.ts";
import { INGRESS_FLAGS, ingressRun } from "../ingress/ingress-flags.ts";
import { runMigrate } from "../ingress/migrate/run.ts";

export const command: Command = {
  summary: "serve a cluster's Ingresses, for any API server, in the foreground",
  usage: "ingress [--kubeconfig FILE] [flags] | ingress --migrate -f FILE [-o json]",
  flags: INGRESS_FLAGS,
  async run(given) {
    refuseWords("ingress", given, "Manifests are named with --migrate -f FILE");
    const run = ingressRun(given);
    if ("migrate" in run) return runMigrate(run, (text) => void process.stdout.write(text));
    // To be added: `return runIngress(run)` of ../ingress/run.ts.
    throw new Failure("serving Ingresses: this build reads manifests only, with --migrate");
  },
};
