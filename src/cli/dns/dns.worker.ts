import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../observe/clock.ts";
import { createLog, toDescriptor } from "../../observe/log.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { Failure } from "../failure.ts";
import { startInstance, type Instance } from "./instance.ts";
import type { ThreadGiven, ThreadOrder, ThreadReport } from "./protocol.ts";

/** One of several threads that answer at the same addresses. */
const STDERR = 2;
const { given, worker, logLevel } = workerData as ThreadGiven;
const log = createLog("dns", logLevel, toDescriptor(STDERR)).child({ worker });
const report = (said: ThreadReport): void => parentPort!.postMessage(said);
let configuring = new AbortController();

async function done(instance: Instance, order: ThreadOrder): Promise<string> {
  switch (order.ask) {
    case "metrics":
      return instance.metrics();
    case "configure":
      configuring = new AbortController();
      await instance.configure(order.configuration, configuring.signal);
      return "";
    case "abort":
      configuring.abort(new Error("another configuration came"));
      return "";
    case "stop":
      await instance.stop();
      return "";
  }
}

try {
  const instance = await startInstance(given, log);
  parentPort!.on("message", (order: ThreadOrder) => {
    done(instance, order)
      .then(
        (text) => report({ id: order.id, text, listening: instance.listening }),
        (error: unknown) => report({ id: order.id, error: (error as Error).message }),
      )
      .finally(() => {
        if (order.ask === "stop") process.exit(0);
      });
  });
  report({ started: instance.listening });
  await instance.synced();
  report({ ready: true });
  tidyAfterStart(systemClock);
} catch (error) {
  report({ failed: (error as Error).message, isFailure: error instanceof Failure });
  process.exit(1);
}
