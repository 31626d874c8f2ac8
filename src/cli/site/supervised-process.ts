import { createInterface } from "node:readline";
import type { Host, Running } from "../../host/host.ts";
import type { OpenSocket } from "../../host/held-sockets.ts";
import type { Log } from "../../observe/log.ts";
import { Failure } from "../failure.ts";
import { restarts } from "./restarts.ts";
import type { WorkerConfig, WorkerOrder, WorkerReport } from "./protocol.ts";
import type { SupervisedWorker } from "./workers.ts";

/** The first that a program gets beside its three. */
const FIRST_DESCRIPTOR = 3;
/** Lines of what it complained of that are kept for the log. */
const COMPLAINTS = 20;

/**
 * Runs one part in a process of its own and starts it again when it dies. For a part that strangers speak to in protocols that Node's native code reads:
 * what ends it there ends nobody else.
 */
export function superviseProcess(given: WorkerConfig, host: Host, log: Log, script: string): SupervisedWorker {
  const { part, sockets } = given;
  let isEnding = false;
  let running: Running | undefined;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  const rest = restarts();

  // Its descriptors have numbers of its own.
  const own = sockets?.map((socket, at): OpenSocket => ({ ...socket, fd: FIRST_DESCRIPTOR + at }));
  const argument = JSON.stringify({ ...given, sockets: own } satisfies WorkerConfig);

  const hear = (report: WorkerReport): void => {
    if (report === "ready") ready.resolve();
    else if (typeof report === "object") {
      log.error({ part }, `the ${part} part failed: ${report.failed}`);
      if (report.sentence !== undefined) ready.reject(new Failure(report.sentence));
    }
  };
  const runOnce = async (): Promise<void> => {
    const child = await host.open(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", script, argument],
      { descriptors: (sockets ?? []).map(({ fd }) => fd) },
    );
    running = child;
    child.stdin.on("error", () => {});
    createInterface({ input: child.stdout }).on("line", (line) => hear(JSON.parse(line) as WorkerReport));
    const complaints: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      complaints.push(line);
      if (complaints.length > COMPLAINTS) complaints.shift();
    });
    if (isEnding) child.kill("SIGKILL");
    const code = await child.ended;
    running = undefined;
    if (!isEnding) log.error({ part, code, complaints }, `the ${part} process died and is started again`);
  };
  const run = async (): Promise<void> => {
    for (;;) {
      const began = performance.now();
      await runOnce().catch((error: Error) =>
        log.error({ part, error: error.message }, `the ${part} process cannot be started`),
      );
      if (isEnding) return;
      await rest.before(began);
      if (isEnding) return;
    }
  };
  const gone = run();

  const say = (order: WorkerOrder): void => void running?.stdin.write(`${JSON.stringify(order)}\n`);
  return {
    ready: ready.promise,
    siteReady: () => say("site-ready"),
    async end(order) {
      isEnding = true;
      rest.cut();
      say(order);
      await gone;
    },
  };
}
