import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { familyOfProcess, memoryOf, processorTimeOf } from "./process-use.ts";
import { environment } from "./programs.ts";

/** A server that is measured, at a port of 127.0.0.1. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Megabytes (PSS). */
  memory(): number;
  /** Microseconds of processor time so far. */
  processorTime(): number;
  /** Keeps it to one processor. */
  pin(processor: number): void;
  stop(): Promise<void>;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

/** What these processes do together is one contender. */
export function contenderOf(name: string, port: number, children: readonly ChildProcess[]): Contender {
  const pids = (): number[] => children.flatMap(({ pid }) => familyOfProcess(pid!));
  return {
    name,
    port,
    memory: () => sum(pids().map(memoryOf)),
    processorTime: () => sum(pids().map(processorTimeOf)),
    pin: (processor) => pids().forEach((pid) => void spawnSync("taskset", ["-acp", `${processor}`, `${pid}`])),
    async stop() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const ended = once(child, "exit");
          child.kill();
          const hard = setTimeout(() => child.kill("SIGKILL"), 10_000);
          await ended;
          clearTimeout(hard);
        }),
      );
    },
  };
}

/** Starts a program and waits until it serves; undefined, with a word about it, when the program is not there. */
export async function startProgram(given: {
  readonly name: string;
  readonly program: string | undefined;
  readonly args: readonly string[];
  readonly port: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it serves, asked again and again. */
  readonly isServing: () => Promise<boolean>;
}): Promise<Contender | undefined> {
  const { name, program, args, port, env, isServing } = given;
  if (program === undefined) {
    console.log(`${name}: not measured (it is not there)`);
    return undefined;
  }
  // So that it does not outlive a benchmark that was ended.
  const alone = ["--pdeathsig", "TERM", "--", program, ...args];
  const child = spawn("setpriv", alone, { env: { ...environment, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2000)));
  const contender = contenderOf(name, port, [child]);
  const deadline = performance.now() + 60_000;
  while (!(await isServing())) {
    const isOver = performance.now() > deadline;
    if (isOver || child.exitCode !== null || child.signalCode !== null) {
      await contender.stop();
      throw new Error(
        `starting ${name}: it did not serve ${isOver ? "within 60 s" : "before its end"}; it says: ${complaints}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return contender;
}
