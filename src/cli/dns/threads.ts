import { Worker } from "node:worker_threads";
import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import { createPorts } from "../../dns/server/ports.ts";
import { addressesOf, type SocketAddress } from "../../dns/server/address.ts";
import { systemClock } from "../../observe/clock.ts";
import type { Log, LogLevel } from "../../observe/log.ts";
import { merged } from "../../observe/merged.ts";
import { Failure } from "../failure.ts";
import type { Instance, InstanceGiven } from "./instance.ts";
import type { ThreadGiven, ThreadOrder, ThreadReport } from "./protocol.ts";

const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;

/** One thread of several, started again when it dies. */
interface Thread {
  /** Resolves when it answers; rejects where it cannot. */
  readonly started: Promise<void>;
  readonly ready: Promise<void>;
  readonly listening: readonly SocketAddress[];
  readonly isReady: boolean;
  ask(order: "metrics" | "stop" | "abort"): Promise<string>;
  configure(configuration: DnsConfiguration): Promise<void>;
}

function superviseThread(first: ThreadGiven, log: Log, program: URL, looped: (error: Error) => void): Thread {
  const started = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  started.promise.catch(() => {});
  const waiting = new Map<number, { resolve(text: string): void; reject(error: Error): void }>();
  let { given } = first;
  let thread: Worker | undefined;
  let listening: readonly SocketAddress[] = [];
  let isReady = false;
  let hasStarted = false;
  let isEnding = false;
  let delay = FIRST_DELAY;
  let asked = 0;

  const hear = (report: ThreadReport): void => {
    if ("started" in report) {
      hasStarted = true;
      listening = report.started;
      started.resolve();
    } else if ("ready" in report) {
      isReady = true;
      ready.resolve();
    } else if ("looped" in report) {
      looped(new Error(report.looped));
    } else if ("failed" in report) {
      log.error({ worker: first.worker }, report.failed);
      const error = report.isFailure ? new Failure(report.failed) : new Error(report.failed);
      if (!hasStarted) started.reject(error);
    } else {
      const found = waiting.get(report.id);
      waiting.delete(report.id);
      if ("error" in report) found?.reject(new Error(report.error));
      else {
        listening = report.listening;
        found?.resolve(report.text);
      }
    }
  };

  const start = (): void => {
    const workerData: ThreadGiven = { ...first, given };
    const current = new Worker(program, { workerData, name: `dns ${first.worker}` });
    thread = current;
    const began = performance.now();
    current.on("message", hear);
    current.on("error", (error) => log.error({ worker: first.worker, err: error as Error }, "a thread of DNS died"));
    current.once("exit", () => {
      thread = undefined;
      isReady = false;
      for (const one of waiting.values()) one.reject(new Error("the thread of DNS died before it answered"));
      waiting.clear();
      if (isEnding || !hasStarted) {
        started.reject(new Error("a thread of DNS ended before it answered"));
        return;
      }
      delay = performance.now() - began > 60_000 ? FIRST_DELAY : Math.min(delay * 2, LONGEST_DELAY);
      setTimeout(() => {
        if (!isEnding) start();
      }, delay);
    });
  };

  const send = (order: (id: number) => ThreadOrder): Promise<string> =>
    new Promise((resolve, reject) => {
      asked += 1;
      const id = asked;
      if (thread === undefined) return reject(new Error("the thread of DNS is being started again"));
      waiting.set(id, { resolve, reject });
      thread.postMessage(order(id));
    });

  start();
  return {
    started: started.promise,
    ready: ready.promise,
    get listening() {
      return listening;
    },
    get isReady() {
      return isReady;
    },
    ask(order) {
      if (order === "stop") isEnding = true;
      return send((id) => ({ id, ask: order }));
    },
    async configure(configuration) {
      // One that is being started again starts with it.
      if (thread !== undefined) await send((id) => ({ id, ask: "configure", configuration }));
      given = { ...given, configuration };
    },
  };
}

/** Rejects where somebody else has an address: threads share theirs, so a stranger who does too would go unnoticed. */
async function claim({ servers }: DnsConfiguration, log: Log): Promise<void> {
  const ports = createPorts(systemClock, log);
  const nobody = { respond: () => undefined, drop: () => {}, kept: { size: 0, hits: 0, misses: 0 } };
  await ports.serve(servers.map((block) => ({ addresses: addressesOf(block), responder: nobody })));
  await ports.close();
}

/** DNS in `count` threads, each of which answers at every address and watches the cluster itself; the kernel shares the queries out. */
export async function startThreads(
  count: number,
  given: InstanceGiven,
  log: Log,
  logLevel: LogLevel,
  looped: (error: Error) => void,
  program: URL = new URL("./dns.worker.ts", import.meta.url),
): Promise<Instance> {
  await claim(given.configuration, log);
  const threads = Array.from({ length: count }, (_, worker) =>
    superviseThread(
      // One of them tells the cluster where all are.
      { given: { ...given, reusePort: true, register: worker === 0 ? given.register : [] }, worker, logLevel },
      log,
      program,
      looped,
    ),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.ask("stop").catch(() => {})));
  };
  try {
    await Promise.all(threads.map((thread) => thread.started));
  } catch (error) {
    await stop();
    throw error;
  }
  let current = given.configuration;
  return {
    get listening() {
      return threads[0]!.listening;
    },
    isReady: () => threads.some((thread) => thread.isReady),
    async synced() {
      await Promise.all(threads.map((thread) => thread.ready));
    },
    async configure(configuration, signal) {
      const abort = (): void => threads.forEach((thread) => void thread.ask("abort").catch(() => {}));
      signal.addEventListener("abort", abort);
      const outcomes = await Promise.allSettled(threads.map((thread) => thread.configure(configuration)));
      signal.removeEventListener("abort", abort);
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed === undefined) {
        current = configuration;
        return;
      }
      // All of them do the same, or none.
      await Promise.allSettled(threads.map((thread) => thread.configure(current)));
      throw failed.reason;
    },
    async metrics() {
      const texts = await Promise.all(threads.map((thread) => thread.ask("metrics").catch(() => "")));
      return merged(texts.map((text, worker) => ({ text, label: `worker="${worker}"` })));
    },
    stop,
  };
}
