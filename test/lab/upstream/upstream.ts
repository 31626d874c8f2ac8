import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CHECKOUT, type LabHost } from "../lab.ts";
import { until } from "../until.ts";

/** A question that the resolver got. */
export interface UpstreamQuestion {
  /** In lower case. */
  readonly name: string;
  readonly type: string;
  readonly transport: "udp" | "tcp";
}

/** A resolver outside the cluster, on a lab host, that counts what it is asked. */
export interface Upstream {
  readonly address: string;
  /** What it was asked, but for questions of the root, by which a forwarder sees whether it is alive. */
  readonly asked: readonly UpstreamQuestion[];
  /** How often it was asked for each type of this name: `{ A: 1, AAAA: 1 }`. */
  counts(name: string): Record<string, number>;
}

/** Starts it at the host's address. */
export async function startUpstream(host: LabHost): Promise<Upstream> {
  const running = await host.open(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    `${CHECKOUT}/test/lab/upstream/program.ts`,
    host.address,
  ]);
  host.atClose(async () => running.kill("SIGKILL"));
  const asked: UpstreamQuestion[] = [];
  let complaints = "";
  let isReady = false;
  running.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  createInterface({ input: running.stdout }).on("line", (line) => {
    if (line === "ready") isReady = true;
    else {
      const question = JSON.parse(line) as UpstreamQuestion;
      if (question.name !== "" && question.name !== ".") asked.push(question);
    }
  });
  await until("the upstream resolver to listen", () => {
    if (complaints !== "") throw new Error(complaints);
    return isReady;
  });
  return {
    address: host.address,
    asked,
    counts(name) {
      const found: Record<string, number> = {};
      for (const question of asked) {
        if (question.name === name) found[question.type] = (found[question.type] ?? 0) + 1;
      }
      return found;
    },
  };
}

/** Makes this the host's own resolver file, for it alone. */
export async function setResolvConf(host: LabHost, text: string): Promise<void> {
  const path = join(host.scratch, "resolv.conf");
  writeFileSync(path, text, { mode: 0o644 });
  await host.check("mount", ["--bind", path, "/etc/resolv.conf"]);
}
