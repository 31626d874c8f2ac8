import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../observe/clock.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { systemHost } from "../../host/processes.ts";
import { Failure } from "../failure.ts";
import { startPart } from "./parts.ts";
import type { WorkerConfig, WorkerOrder, WorkerReport } from "./protocol.ts";

/** The thread of one part. */
const report = (said: WorkerReport): void => parentPort!.postMessage(said);
const waiting = new AbortController();
const starting = startPart(systemHost(), workerData as WorkerConfig, waiting.signal);
let ending = false;
parentPort!.on("message", (order: WorkerOrder) => {
  if (ending) return;
  ending = true;
  // Without credentials it has made nothing yet.
  waiting.abort();
  void starting
    .then(
      (part) => (order === "remove" ? part.remove() : part.stop()),
      (error: unknown) => {
        if (!waiting.signal.aborted) throw error;
      },
    )
    .catch((error: unknown) => report({ failed: (error as Error).stack ?? String(error) }))
    .then(() => {
      report("stopped");
      parentPort!.close();
      process.exit(0);
    });
});
try {
  const part = await starting;
  await part.ready;
  report("ready");
  tidyAfterStart(systemClock);
} catch (error) {
  if (!ending) {
    const sentence = error instanceof Failure ? { sentence: error.message } : {};
    report({ failed: (error as Error).stack ?? String(error), ...sentence });
    process.exit(1);
  }
}
