import { systemHost } from "../../host/processes.ts";
import { systemClock } from "../../observe/clock.ts";
import { tidyAfterStart } from "../../observe/tidy.ts";
import { Failure } from "../failure.ts";
import { startPart } from "./parts.ts";
import type { WorkerConfig, WorkerOrder, WorkerReport } from "./protocol.ts";

/** How a part hears who started it, and answers, wherever it runs. */
export interface PartLine {
  readonly report: (said: WorkerReport) => void;
  /** Called once: what comes is to be given to `hear`. */
  readonly listen: (hear: (order: WorkerOrder) => void) => void;
  /** Ends this thread or process. */
  readonly exit: (code: number) => void;
}

/** Runs one part of a site to its end. */
export async function runPart(given: WorkerConfig, { report, listen, exit }: PartLine): Promise<void> {
  const waiting = new AbortController();
  const starting = startPart(systemHost(), given, waiting.signal);
  let ending = false;
  listen((order) => {
    if (ending) return;
    if (order === "site-ready") {
      // A start that failed is told below.
      void starting.then(
        (part) => part.siteReady?.(),
        () => {},
      );
      return;
    }
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
        exit(0);
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
      exit(1);
    }
  }
}
