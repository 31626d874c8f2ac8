import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LoadPlaces, Outcome, Said, Sockets, Told } from "./words.ts";

/** A load that runs in a process of its own. */
export interface Load {
  /** Names of the pods that the WebSockets are with, one for each. */
  begin(places: LoadPlaces, host: string, sockets: number): Promise<readonly string[]>;
  add(host: string): void;
  /** Resolves when the last request of it has ended. */
  drop(host: string): Promise<void>;
  sockets(): Promise<Sockets>;
  /** All that were told so far. */
  readonly outcomes: readonly Outcome[];
  end(): Promise<Said & { say: "ended" }>;
  close(): Promise<void>;
}

export async function startLoad(): Promise<Load> {
  const child = fork(join(import.meta.dirname, "generator.ts"), [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "spawn");
  const outcomes: Outcome[] = [];
  const waiting = new Map<string, PromiseWithResolvers<Said>>();
  const isOver = Promise.withResolvers<never>();
  isOver.promise.catch(() => undefined);
  child.on("exit", () => isOver.reject(new Error("the process of the load has ended")));
  child.on("message", (said: Said) => {
    if (said.say === "outcomes") return void outcomes.push(...said.outcomes);
    const key = said.say === "dropped" ? `dropped ${said.host}` : said.say;
    waiting.get(key)?.resolve(said);
    waiting.delete(key);
  });
  const tell = (told: Told): void => void child.send(told);
  const answer = async <Say extends Said["say"]>(
    told: Told,
    say: Say,
    key: string = say,
  ): Promise<Said & { say: Say }> => {
    const asked = Promise.withResolvers<Said>();
    waiting.set(key, asked);
    tell(told);
    return (await Promise.race([asked.promise, isOver.promise])) as Said & { say: Say };
  };
  return {
    outcomes,
    begin: async (places, host, sockets) => (await answer({ do: "begin", places, host, sockets }, "begun")).pods,
    add: (host) => tell({ do: "add", host }),
    drop: async (host) => void (await answer({ do: "drop", host }, "dropped", `dropped ${host}`)),
    sockets: async () => (await answer({ do: "sockets" }, "sockets")).sockets,
    end: async () => answer({ do: "end" }, "ended"),
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
