import { Worker } from "node:worker_threads";
import type { Log } from "../../observe/log.ts";
import { Failure } from "../failure.ts";
import { restarts } from "./restarts.ts";
import type { PartName, WorkerConfig, WorkerOrder, WorkerReport } from "./protocol.ts";

export interface SupervisedWorker {
  readonly ready: Promise<void>;
  /** Tells it that all of the site is ready. */
  siteReady(): void;
  end(order: "stop" | "remove"): Promise<void>;
}

/** Runs one part in a thread of its own and starts it again when it dies; the other parts do not notice. */
export function superviseWorker(
  given: WorkerConfig,
  log: Log,
  script: URL = new URL("./part.worker.ts", import.meta.url),
): SupervisedWorker {
  const name: PartName = given.part;
  let ending = false;
  const rest = restarts();
  let worker: Worker | undefined;
  let gone: Promise<void> = Promise.resolve();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});

  const start = (): void => {
    const thread = new Worker(script, { workerData: given, name });
    worker = thread;
    const began = performance.now();
    thread.on("message", (report: WorkerReport) => {
      if (report === "ready") ready.resolve();
      else if (typeof report === "object") {
        log.error({ part: name }, `the ${name} part failed: ${report.failed}`);
        if (report.sentence !== undefined) ready.reject(new Failure(report.sentence));
      }
    });
    thread.on("error", (error) =>
      log.error({ part: name, err: error as Error }, `the ${name} part died: ${(error as Error).message}`),
    );
    gone = new Promise((resolve) => {
      thread.once("exit", () => {
        resolve();
        if (ending) return;
        void rest.before(began).then(() => {
          if (!ending) start();
        });
      });
    });
  };
  start();

  return {
    ready: ready.promise,
    siteReady: () => worker?.postMessage("site-ready" satisfies WorkerOrder),
    async end(order) {
      ending = true;
      rest.cut();
      worker?.postMessage(order);
      await gone;
    },
  };
}
