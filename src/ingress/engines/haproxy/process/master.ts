import { readFile, rename, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Host } from "../../../../host/host.ts";
import {
  identityOf,
  isRunning,
  signalProcess,
  waitForEnd,
  type ProcessIdentity,
} from "../../../../host/process-identity.ts";
import type { Listener } from "../../../engine.ts";
import { CLIENTS, MASTER_SOCKET, WORKER_SOCKET } from "../compile/configuration.ts";
import { openSession, type RuntimeSession } from "../runtime/session.ts";
import { CONFIGURATION, NEXT, writeWhole } from "./directory.ts";

/** A running HAProxy, written down so that whoever comes after us finds it. */
export interface RunningMaster {
  readonly process: ProcessIdentity;
  readonly generation: number;
  /** What was asked for, and what was had: ports that were 0 differ. */
  readonly wanted: readonly Listener[];
  readonly listening: readonly HeldListener[];
}

export interface HeldListener extends Listener {
  /** Somebody else has its socket open too. */
  readonly isHeld: boolean;
}

const STATE = "running.json";
const OUTPUT = "output.log";
/** Milliseconds for a start or a change of workers with any configuration. */
const PATIENCE = 120_000;

/** Milliseconds. */
const SAY_AGAIN = 250;

/** Files that it may open, where we may say so. */
const OPEN_FILES = 131_072;
/**
 * As many clients as leave room for what is asked of endpoints. HAProxy itself would count two files for each, though clients that are idle have
 * but one, and leave all others waiting when half of its files are in use.
 */
const ENVIRONMENT = `ulimit -n ${OPEN_FILES} 2>/dev/null || ulimit -n "$(ulimit -Hn)"; files=$(ulimit -n); [ "$files" = unlimited ] && files=${OPEN_FILES}; export ${CLIENTS}=$((files * 8 / 10))`;

/** HAProxy says no to a configuration. */
export class ConfigurationRefused extends Error {
  override readonly name = "ConfigurationRefused";
}

/** The process that HAProxy's workers belong to. All that is done to it is done here. */
export interface Master {
  /** One that an earlier controller left, if it still runs. */
  found(): Promise<RunningMaster | undefined>;
  /** Asks HAProxy whether it would take the written configuration. Throws {@link ConfigurationRefused}. */
  check(descriptors: readonly number[]): Promise<void>;
  /** Starts it with the written configuration. */
  start(running: Omit<RunningMaster, "process">, descriptors: readonly number[]): Promise<RunningMaster>;
  /** Has new workers take the written configuration, and the old ones end with their last connection. */
  reload(running: RunningMaster, generation: number): Promise<RunningMaster>;
  /** The runtime API of the workers of that start. */
  session(running: RunningMaster): Promise<RuntimeSession>;
  /** Has it take no more connections. */
  drain(running: RunningMaster): Promise<void>;
  /** Lets connections end as long as there are milliseconds left, which may become fewer meanwhile, then cuts them. */
  end(running: RunningMaster, left: () => number): Promise<void>;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One command to the master; its answer ends with the connection. */
function tellMaster(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error("no answer")));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.once("error", reject);
    socket.once("close", () => resolve(text));
    socket.once("connect", () => socket.end(`${command}\n`));
  });
}

export function createMaster(host: Host, haproxy: string, directory: string): Master {
  const file = (name: string): string => join(directory, name);

  /** What it said last, for errors. */
  const lastWords = async (): Promise<string> => {
    const lines = (await readFile(file(OUTPUT), "utf8").catch(() => "")).trim().split("\n");
    return lines.findLast((line) => line.includes("[ALERT]")) ?? lines.at(-1) ?? "";
  };

  const session = async (running: RunningMaster): Promise<RuntimeSession> => {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      try {
        return await openSession(file(WORKER_SOCKET(running.generation)));
      } catch (error) {
        if (!(await isRunning(running.process)))
          throw new Error(`starting HAProxy: it has ended: ${await lastWords()}`, { cause: error });
        if (performance.now() > deadline)
          throw new Error(`starting HAProxy: it has not begun within ${PATIENCE / 1000} s: ${await lastWords()}`, {
            cause: error,
          });
        await pause(10);
      }
    }
  };

  const write = async (running: RunningMaster): Promise<RunningMaster> => {
    await writeWhole(file(STATE), `${JSON.stringify(running)}\n`);
    return running;
  };

  return {
    async found() {
      const text = await readFile(file(STATE), "utf8").catch(() => undefined);
      if (text === undefined) return undefined;
      const running = JSON.parse(text) as RunningMaster;
      return (await isRunning(running.process)) ? running : undefined;
    },

    async check(descriptors) {
      const running = await host.open(
        "sh",
        ["-c", `${ENVIRONMENT}; exec "$@"`, "sh", haproxy, "-c", "-f", file(NEXT)],
        {
          cwd: directory,
          descriptors,
        },
      );
      running.stdin.end();
      let said = "";
      for (const stream of [running.stdout, running.stderr]) {
        stream.setEncoding("utf8");
        stream.on("data", (chunk: string) => (said += chunk));
      }
      const code = await running.ended;
      if (code === 0) return;
      const alerts = said.split("\n").filter((line) => line.includes("[ALERT]"));
      throw new ConfigurationRefused(
        `changing HAProxy's configuration: it would not take ${file(NEXT)}, and goes on with what it has: ${(alerts[0] ?? said.trim().split("\n").at(-1) ?? `exit code ${code}`).replace(/^\[ALERT\]\s*\(\d+\)\s*:\s*/, "")}`,
      );
    },

    async start(running, descriptors) {
      await rename(file(NEXT), file(CONFIGURATION));
      // Its output goes to a file, so that nothing of ours is open in it: it outlives us.
      const started = await host.open(
        "setsid",
        [
          "sh",
          "-c",
          `${ENVIRONMENT}; exec "$@" </dev/null >${file(OUTPUT)} 2>&1`,
          "sh",
          haproxy,
          "-W",
          "-q",
          "-S",
          `${file(MASTER_SOCKET)},mode,600`,
          "-f",
          file(CONFIGURATION),
        ],
        { cwd: directory, descriptors },
      );
      started.stdin.end();
      started.stdout.resume();
      started.stderr.resume();
      const process = await identityOf(started.pid);
      if (process === undefined) throw new Error(`starting HAProxy: it has ended at once: ${await lastWords()}`);
      return write({ ...running, process });
    },

    async reload(running, generation) {
      await rename(file(NEXT), file(CONFIGURATION));
      const next = await write({ ...running, generation });
      await tellMaster(file(MASTER_SOCKET), "reload");
      return next;
    },

    session,

    async drain(running) {
      await signalProcess(running.process, "SIGUSR1");
    },

    async end(running, left) {
      // Now and then a master does not pass the signal on; said again it changes nothing.
      while (left() > 0 && !(await waitForEnd(running.process, Math.min(left(), SAY_AGAIN))))
        await signalProcess(running.process, "SIGUSR1");
      if (await isRunning(running.process)) {
        await signalProcess(running.process, "SIGTERM");
        if (!(await waitForEnd(running.process, 5000))) {
          await signalProcess(running.process, "SIGKILL");
          await waitForEnd(running.process, 5000);
        }
      }
      await rm(file(STATE), { force: true });
    },
  };
}

/** Ends the HAProxy that a controller which is dead left in this directory, if one runs. */
export async function endLeftMaster(host: Host, directory: string): Promise<void> {
  // Only a start needs the program.
  const master = createMaster(host, "haproxy", directory);
  const left = await master.found();
  if (left !== undefined) await master.end(left, () => 0);
}
