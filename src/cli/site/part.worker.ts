import { parentPort, workerData } from "node:worker_threads";
import type { WorkerConfig, WorkerOrder } from "./protocol.ts";
import { runPart } from "./run-part.ts";

/** The thread of one part. */
await runPart(workerData as WorkerConfig, {
  report: (said) => parentPort!.postMessage(said),
  listen: (hear) => void parentPort!.on("message", (order: WorkerOrder) => hear(order)),
  exit(code) {
    if (code === 0) parentPort!.close();
    process.exit(code);
  },
});
