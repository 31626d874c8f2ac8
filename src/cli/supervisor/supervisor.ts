import type { Host } from "../../host/host.ts";
import { Failure } from "../failure.ts";
import { startChild, type Child, type ChildCommand } from "./child.ts";
import type { Order, Report } from "./protocol.ts";

/** How often a process may die within a minute before the supervisor gives up. */
const RESTARTS_PER_MINUTE = 5;

/** Milliseconds between a death and the next start. */
const RESTART_PAUSE = 100;

export interface Supervised {
  /** Resolves with its facts at each `ready`; rejects when it will not come up. */
  readonly ready: Promise<Readonly<Record<string, string>>>;
  /** Rejects when it can no longer be kept running. */
  readonly lost: Promise<never>;
  /** Ends it by this order; resolves when it is gone, with whether it said that it has removed what it made. */
  end(order: "stop" | "remove"): Promise<boolean>;
}

/** Keeps one process running: starts it again whenever it dies, until it is ordered to end. */
export function supervise(
  host: Host,
  how: ChildCommand,
  onRestart: (name: string, why: string) => void,
  onIngress: (told: Extract<Report, { report: "ingress" }>) => void = () => {},
): Supervised {
  let child: Child | undefined;
  let asked: Order | undefined;
  let removed = false;
  const deaths: number[] = [];
  let fail: (error: Error) => void = () => {};
  let isReady: (facts: Readonly<Record<string, string>>) => void = () => {};
  const ready = new Promise<Readonly<Record<string, string>>>((resolve, reject) => {
    isReady = resolve;
    fail = reject;
  });
  let lose: (error: Error) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => {});
  ready.catch(() => {});

  const run = async (): Promise<void> => {
    for (;;) {
      let sentence: string | undefined;
      child = await startChild(host, how, (report: Report) => {
        if (report.report === "ready") isReady(report.facts ?? {});
        else if (report.report === "removed") removed = true;
        else if (report.report === "ingress") onIngress(report);
        else sentence = report.sentence;
      });
      // The end may have been asked for while it was being started.
      if (asked !== undefined) child.order(asked);
      const { code, complaint } = await child.ended;
      child = undefined;
      // A signal to the whole group ends it while the supervisor is only about to hear of it.
      if (asked === undefined) await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE));
      if (asked !== undefined) return;
      const error = new Failure(
        sentence ??
          `the ${how.name} process ended with exit code ${code}${complaint === "" ? "" : `: ${complaint}`}; see ${how.log}`,
      );
      const now = performance.now();
      deaths.push(now);
      const recent = deaths.filter((at) => now - at < 60_000);
      if (sentence !== undefined || recent.length > RESTARTS_PER_MINUTE) {
        fail(error);
        lose(error);
        return;
      }
      onRestart(how.name, error.message);
    }
  };
  const running = run().catch((error: unknown) => {
    fail(error as Error);
    lose(error as Error);
  });

  return {
    ready,
    lost,
    async end(order) {
      const wish: Order = { order };
      asked = wish;
      child?.order(wish);
      const timer = setTimeout(() => child?.kill("SIGKILL"), 60_000);
      await running;
      clearTimeout(timer);
      return removed;
    },
  };
}
