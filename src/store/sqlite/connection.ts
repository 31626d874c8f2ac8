import { getCompileCacheDir } from "node:module";
import { dirname, extname } from "node:path";
import { Worker } from "node:worker_threads";
import { closedError } from "../requests.ts";
import { Compacted } from "../store.ts";
import type { Calls, Failure, Question, Reply, WorkerData, WorkerMessage } from "./protocol.ts";

type Committed = Extract<WorkerMessage, { type: "committed" }>;
type Opened = Extract<WorkerMessage, { type: "opened" }>;

/** A write that took effect: what was asked, and what came of it. */
export interface MadeWrite {
  readonly question: Calls["write"]["question"];
  readonly answer: Calls["write"]["answer"];
}

export interface ConnectionHandler {
  /** A transaction is durable. Called before the promises of its writes are fulfilled. */
  committed(writes: readonly MadeWrite[], message: Committed): void;
  /** The worker died; every question after this fails with the same error. */
  died(error: Error): void;
}

export interface Connection {
  readonly opened: Opened;
  listen(handler: ConnectionHandler): void;
  /** Asks the worker. `now` is called with the answer in turn with `committed`, before the promise is fulfilled. */
  ask<Type extends keyof Calls>(
    type: Type,
    question: Calls[Type]["question"],
    now?: (answer: Calls[Type]["answer"]) => void,
  ): Promise<Calls[Type]["answer"]>;
  /** Asks everything that was to be asked, then ends the worker. */
  close(): Promise<void>;
}

interface Pending {
  readonly type: keyof Calls;
  readonly question: Calls[keyof Calls]["question"];
  answer(answer: Calls[keyof Calls]["answer"]): void;
  fail(error: Error): void;
}

const revive = (failure: Failure): Error => {
  if (failure.name === "Compacted") return new Compacted(failure.revision, failure.compactRevision);
  return failure.name === "RangeError" ? new RangeError(failure.message) : new Error(failure.message);
};

/** The worker's file lies beside this one, with the same ending: `.ts` here, `.js` where it was compiled. */
const workerFile = new URL(`./sqlite.worker${extname(import.meta.filename)}`, import.meta.url);

/** A worker does not take over the compile cache of its process, and compiling costs it two thirds of its start. */
const environment = (): NodeJS.ProcessEnv => {
  // The directory in use is the one asked for plus a name made of Node's version.
  const cache = getCompileCacheDir();
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) };
};

/** Starts the worker and waits until the file is open. Throws with the reason when it is not. */
export const connect = async (path: string, data: WorkerData): Promise<Connection> => {
  const worker = new Worker(workerFile, { workerData: data, name: "store", env: environment() });
  const pending = new Map<number, Pending>();
  let waiting: Question[] = [];
  let nextId = 1;
  let over: Error | undefined;
  let handler: ConnectionHandler | undefined;
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));

  const die = (error: Error): void => {
    if (over !== undefined) return;
    over = error;
    const failed = [...pending.values()];
    pending.clear();
    handler?.died(error);
    for (const one of failed) one.fail(error);
  };

  const settle = (reply: Reply): void => {
    const one = pending.get(reply.id);
    pending.delete(reply.id);
    if ("failure" in reply) one?.fail(revive(reply.failure));
    else one?.answer(reply.answer);
  };

  const committed = (message: Committed): void => {
    const writes: MadeWrite[] = [];
    for (const reply of message.replies) {
      const one = pending.get(reply.id);
      if (one?.type !== "write" || !("answer" in reply)) continue;
      // The worker answers a question by its type.
      writes.push({ question: one.question, answer: reply.answer } as MadeWrite);
    }
    handler?.committed(writes, message);
    message.replies.forEach(settle);
  };

  const opened = await new Promise<Opened>((resolve, reject) => {
    worker.on("message", (message: WorkerMessage) => {
      switch (message.type) {
        case "opened":
          return resolve(message);
        case "refused":
          return reject(new Error(message.sentence));
        case "committed":
          return committed(message);
        case "answered":
          return message.replies.forEach(settle);
        case "broken":
          return die(new Error(message.sentence));
      }
    });
    const lost = (why: string): void => {
      const error = new Error(`the thread of the store ${path} ended: ${why}`);
      reject(error);
      die(error);
    };
    worker.once("error", (error) => lost(error instanceof Error ? error.message : String(error)));
    worker.once("exit", (code) => lost(`exit code ${code}`));
  });

  const flush = (): void => {
    const turn = waiting;
    waiting = [];
    if (over === undefined) worker.postMessage(turn, []);
  };

  const ask: Connection["ask"] = (type, question, now) =>
    new Promise((resolve, reject) => {
      if (over !== undefined) return reject(over);
      const id = nextId++;
      pending.set(id, {
        type,
        question,
        answer: (answer) => {
          now?.(answer);
          resolve(answer);
        },
        fail: reject,
      });
      // Runs after the microtasks of this turn: all that is asked in one turn travels in one message.
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({ id, type, ...question } as Question);
    });

  const close = async (): Promise<void> => {
    if (over === undefined) {
      await ask("close", {}).catch(() => {});
      over ??= closedError();
    }
    await exited;
  };

  return {
    opened,
    listen: (listener) => {
      handler = listener;
    },
    ask,
    close,
  };
};
