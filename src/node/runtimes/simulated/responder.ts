import { createInterface } from "node:readline";
import { join } from "node:path";
import type { Host, Running } from "../../../host/host.ts";
import type { Clock } from "../../../observe/clock.ts";
import type { Log } from "../../../observe/log.ts";
import type { Answering, Order, Report } from "./protocol.ts";

/** The program that answers for all simulated containers of this node, from inside the namespace they share. */
export interface Responder {
  /** Resolves once it answers. Throws when it cannot, naming the address and port. */
  open(answering: Omit<Answering, "id">): Promise<Opening>;
  close(): Promise<void>;
}

/** One container that answers. */
export interface Opening {
  /** Resolves when nobody has anything to wait for any more. */
  drain(): Promise<void>;
  /** Resolves when nothing answers any more. */
  shut(): Promise<void>;
}

interface Open {
  readonly answering: Answering;
  isOpen: boolean;
  isDraining: boolean;
  readonly opened: PromiseWithResolvers<void>;
  readonly drained: PromiseWithResolvers<void>;
  /** Resolves once it no longer answers, whatever the reason. */
  readonly over: PromiseWithResolvers<void>;
  isShut: boolean;
}

/** How long until a program that died is started again, in milliseconds. */
const AGAIN = 500;
const PROGRAM = join(import.meta.dirname, "answering/main.ts");

/** The program's environment beside PATH: it says and needs nothing of ours. */
const environment = (): Record<string, string> => {
  const cache = process.env["NODE_COMPILE_CACHE"];
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
};

/**
 * A process of its own, because sockets belong to the namespace of the thread that makes them. It is started for the first container
 * and ends with the last, and with us: its input closes. One that dies is started again and told of all.
 */
export function createResponder(options: {
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeBinary: string;
  /** Path of the network namespace. */
  readonly namespace: string;
}): Responder {
  const { host, clock, log } = options;
  const all = new Map<number, Open>();
  let last = 0;
  /** The program that runs and has been told of all. */
  let program: Running | undefined;
  let isClosed = false;

  const tell = (order: Order): void => void program?.stdin.write(`${JSON.stringify(order)}\n`);

  const forget = (id: number): Open | undefined => {
    const open = all.get(id);
    all.delete(id);
    open?.over.resolve();
    if (all.size === 0) void settle();
    return open;
  };

  const hear = (line: string): void => {
    const said = JSON.parse(line) as Report;
    const open = all.get(said.id);
    if (open === undefined) return;
    if (said.report === "shut") forget(said.id);
    else if (said.report === "drained") forget(said.id)?.drained.resolve();
    else if (said.report === "refused") forget(said.id)?.opened.reject(new Error(said.why));
    else {
      open.isOpen = true;
      open.opened.resolve();
    }
  };

  const start = async (): Promise<void> => {
    const child = await host.open(
      "nsenter",
      [
        `--net=${options.namespace}`,
        "--",
        options.nodeBinary,
        "--disable-warning=ExperimentalWarning",
        "--max-semi-space-size=4",
        PROGRAM,
      ],
      { env: environment() },
    );
    program = child;
    createInterface({ input: child.stdout }).on("line", hear);
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = `${complaint}${chunk.toString()}`.slice(-4096);
    });
    void child.ended.then((code) => {
      if (program !== child) return;
      program = undefined;
      const why = complaint.split("\n").find((said) => /Error/.test(said)) ?? `exit code ${code}`;
      const failure = new Error(`answering for simulated pods: the program that does has ended: ${why}`);
      for (const [id, open] of all) {
        if (open.isShut) forget(id);
        else if (!open.isOpen) forget(id)?.opened.reject(failure);
      }
      log.error({ code, complaint }, "the program that answers for simulated pods ended; starting it again");
      clock.after(AGAIN, () => void settle());
    });
    for (const { answering, isDraining, isShut } of all.values()) {
      if (isShut) continue;
      tell({ order: "open", answering });
      if (isDraining) tell({ order: "drain", id: answering.id });
    }
  };

  const adjust = async (): Promise<void> => {
    const wanted = !isClosed && all.size > 0;
    if (wanted && program === undefined) {
      await start().catch((error: unknown) => {
        for (const [id, open] of all) if (!open.isOpen) forget(id)?.opened.reject(error);
        if (all.size > 0) clock.after(AGAIN, () => void settle());
      });
    } else if (!wanted && program !== undefined) {
      const child = program;
      program = undefined;
      child.stdin.end();
      await child.ended;
    }
  };
  let settling: Promise<void> = Promise.resolve();
  const settle = (): Promise<void> => (settling = settling.then(adjust));

  return {
    async open(answering) {
      last += 1;
      const id = last;
      const open: Open = {
        answering: { id, ...answering },
        isOpen: false,
        isDraining: false,
        opened: Promise.withResolvers(),
        drained: Promise.withResolvers(),
        over: Promise.withResolvers(),
        isShut: false,
      };
      all.set(id, open);
      if (program === undefined) void settle();
      else tell({ order: "open", answering: open.answering });
      await open.opened.promise;
      return {
        drain() {
          open.isDraining = true;
          tell({ order: "drain", id });
          return open.drained.promise;
        },
        shut() {
          open.isShut = true;
          if (program === undefined) forget(id);
          else if (all.has(id)) tell({ order: "shut", id });
          return open.over.promise;
        },
      };
    },
    async close() {
      isClosed = true;
      await settle();
    },
  };
}
