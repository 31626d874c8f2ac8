import { createInterface } from "node:readline";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { RunOptions, RunResult, Running } from "../../src/host/host.ts";
import { CHECKOUT, type LabHost } from "./lab.ts";
import { until } from "./until.ts";

/** The command line as it is on a lab host. */
export const FAIRLEAD = `${CHECKOUT}/bin/fairlead`;

export interface UpOptions {
  readonly flags?: readonly string[];
  /** Files for `-f`. */
  readonly files?: readonly string[];
  readonly data?: string;
  /** Without any right, as an ordinary user would. */
  readonly ordinary?: boolean;
  readonly port?: number;
  /** The home directory of who starts it; /tmp unless told. */
  readonly home?: string;
}

export interface Event {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** A running `fairlead up` on a lab host. */
export interface Fairlead {
  readonly data: string;
  readonly kubeconfig: string;
  readonly server: string;
  readonly running: Running;
  readonly events: readonly Event[];
  /** What it said on standard error so far. */
  readonly complaints: () => string;
  /** Seconds from the start of the command to its `ready`. */
  readonly seconds: number;
  /** A command inside its site, where names and addresses work. */
  shell(command: string, args: readonly string[], options?: RunOptions & { namespace?: string }): Promise<RunResult>;
  kubectl(binary: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Ends it by a signal and answers its exit code. */
  end(signal?: NodeJS.Signals): Promise<number>;
}

/** Brings up Fairlead on a lab host and waits for its `ready`. */
export async function bringUp(on: LabHost, options: UpOptions = {}): Promise<Fairlead> {
  const data = options.data ?? join(await mkdtemp(join(on.scratch, "data-")), "d");
  if (options.ordinary === true) await on.check("chmod", ["0777", join(data, "..")]);
  const user = options.ordinary === true ? on.ordinaryUser : [];
  const prefix = [...user, "env", `HOME=${options.home ?? "/tmp"}`, FAIRLEAD];
  const began = performance.now();
  const port = options.port ?? 6443;
  const running = await on.open(prefix[0]!, [
    ...prefix.slice(1),
    "up",
    "-o",
    "json",
    "--data",
    data,
    "--listen",
    `127.0.0.1:${port}`,
    ...(options.flags ?? []),
    ...(options.files ?? []).flatMap((file) => ["-f", file]),
  ]);
  const events: Event[] = [];
  let complaints = "";
  let ended: number | undefined;
  void running.ended.then((code) => (ended = code));
  // A test that failed half-way leaves pods: they outlive Fairlead by design.
  on.atClose(async () => {
    if (!existsSync(join(data, "run/made.json"))) return;
    await on.run(prefix[0]!, [...prefix.slice(1), "down", "--data", data], { timeout: 60_000 });
  });
  createInterface({ input: running.stdout }).on("line", (line) => events.push(JSON.parse(line) as Event));
  running.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  await until(
    "fairlead up to be ready",
    () => {
      if (ended !== undefined) return true;
      return events.some((event) => event.event === "ready");
    },
    { seconds: 60, every: 5 },
  );
  if (!events.some((event) => event.event === "ready"))
    throw new Error(`fairlead up ended with exit code ${ended}: ${complaints}`);
  const seconds = (performance.now() - began) / 1000;
  const kubeconfig = `${data}/kubeconfig`;
  return {
    data,
    kubeconfig,
    server: `https://127.0.0.1:${port}`,
    running,
    events,
    complaints: () => complaints,
    seconds,
    shell: (command, args, given = {}) => {
      const { namespace, ...rest } = given;
      return on.run(
        prefix[0]!,
        [
          ...prefix.slice(1),
          "shell",
          "--data",
          data,
          ...(namespace === undefined ? [] : ["-n", namespace]),
          "--",
          command,
          ...args,
        ],
        rest,
      );
    },
    kubectl: (binary, args, given) =>
      on.run(
        prefix[0]!,
        [...prefix.slice(1, -1), binary, "--kubeconfig", kubeconfig, ...args].filter((word) => word !== undefined),
        given,
      ),
    async end(signal = "SIGINT") {
      running.kill(signal);
      return running.ended;
    },
  };
}
