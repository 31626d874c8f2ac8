import assert from "node:assert/strict";
import { join } from "node:path";
import * as packets from "dns-packet";
import type { Running } from "../../../src/host/host.ts";
import { systemHost } from "../../../src/host/processes.ts";
import type { Subject } from "../../conformance/subject.ts";
import { ask, overUdp } from "../../dns/running.ts";
import { ROOT } from "../../lab/lab.ts";
import { until } from "../../lab/until.ts";

/** A `fairlead dns` that runs, and what it has said on standard error. */
export interface DnsProcess {
  readonly process: Running;
  readonly said: () => string;
}

export const addressesIn = (reply: Buffer | undefined): string[] =>
  reply === undefined
    ? []
    : (packets.decode(reply).answers ?? []).flatMap((one) =>
        one.type === "A" || one.type === "AAAA" ? [one.data] : [],
      );

/** Starts `fairlead dns` as a process of its own, in the network of the test. */
export function dnsProcesses() {
  const running = new Set<Running>();
  return {
    start: async (...flags: string[]): Promise<DnsProcess> => {
      const process = await systemHost().open(join(ROOT, "bin/fairlead"), ["dns", ...flags]);
      running.add(process);
      let said = "";
      process.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      process.stdout.resume();
      void process.ended.then(() => running.delete(process));
      return { process, said: () => said };
    },
    /** Tells it to end, which it must do well. */
    end: async ({ process, said }: DnsProcess): Promise<void> => {
      process.kill("SIGTERM");
      assert.equal(await process.ended, 0, said());
    },
    /** Waits until this name has this address at this port of 127.0.0.1. */
    answered: (port: number, name: string, address: string, said: () => string): Promise<unknown> =>
      until(`${name} to be ${address}`, async () => addressesIn(await overUdp(port, ask(name)))[0] === address, {
        seconds: 60,
      }).catch((cause: unknown) => {
        throw new Error(said(), { cause });
      }),
    killAll: (): void => {
      for (const process of running) process.kill("SIGKILL");
    },
  };
}

/** How an API server under test is reached by this user. */
export function kubeconfigOf({ port, ca }: Subject, user: Readonly<Record<string, string>>): string {
  const server = {
    server: `https://127.0.0.1:${port}`,
    "tls-server-name": "localhost",
    "certificate-authority-data": Buffer.from(ca).toString("base64"),
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "it",
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    clusters: [{ name: "it", cluster: server }],
    users: [{ name: "it", user }],
  });
}
