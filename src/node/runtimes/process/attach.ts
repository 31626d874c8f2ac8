import { closeSync, constants, openSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Readable, type Writable } from "node:stream";
import { identityOf, isRunning, nameOf, signalProcess } from "../../../host/process-identity.ts";
import { closeAll, resizeTerminal, takeDescriptor, writeThrough } from "../../../host/terminal.ts";
import { watchFile } from "../../../host/watched-file.ts";
import { readLog } from "../../logs/read-log.ts";
import type { Attachment, ContainerSight } from "../runtime.ts";
import type { StartedProcess } from "./started.ts";

/** Of a container's program: when it ends, and with what. */
export interface ProgramEnd {
  readonly ended: Promise<number>;
  /** Stops looking for it. */
  readonly leave: () => void;
}

/** Waits for the end of the program whose monitor reports into the file. */
export function programEnd(statusFile: string, poll: number, status: () => Promise<ContainerSight>): ProgramEnd {
  const end = Promise.withResolvers<number>();
  const look = async (): Promise<void> => {
    const sight = await status();
    if (sight.state !== "exited") return;
    stopWatching();
    end.resolve(sight.exitCode);
  };
  const stopWatching = watchFile(statusFile, poll, () => void look());
  return { ended: end.promise, leave: stopWatching };
}

interface Input {
  readonly stdin: Writable;
  close(): void;
}

/** Ends a container's input for good: nobody else holds the pipe open for writing. */
export async function endInput(pipe: string): Promise<void> {
  const pid = Number(await readFile(`${pipe}.holder`, "utf8").catch(() => ""));
  const holder = pid > 0 && (await nameOf(pid)) === "tail" ? await identityOf(pid) : undefined;
  if (holder !== undefined) await signalProcess(holder, "SIGKILL");
}

async function pipeInput({ pipe, once }: { readonly pipe: string; readonly once: boolean }): Promise<Input> {
  // For reading too: opening a pipe that nobody reads any more would wait.
  const descriptor = openSync(pipe, constants.O_RDWR);
  let writer: Awaited<ReturnType<typeof writeThrough>>;
  try {
    writer = await writeThrough(descriptor);
  } finally {
    closeSync(descriptor);
  }
  // The first client that leaves, or has said all, ends the input of a container with stdinOnce.
  if (once) void writer.ended.then(() => endInput(pipe));
  return { stdin: writer.stdin, close: writer.kill };
}

async function terminalInput(master: number): Promise<Input> {
  const writer = await writeThrough(master);
  return { stdin: writer.stdin, close: writer.kill };
}

/** Joins the streams of a container's own program. Throws where they cannot be had. */
export async function attachToContainer(
  started: StartedProcess,
  request: { readonly stdin: boolean },
  { ended, leave }: ProgramEnd,
): Promise<Attachment> {
  const { log, streams } = started;
  if (log === undefined) {
    leave();
    throw new Error("attaching to a container: it was started by an older release that did not prepare for it");
  }
  const left = new AbortController();
  let isOver = false;
  // A program that has ended has said all: what waits for more of its log must look once more.
  const over = new AbortController();
  // What is said from now on, in answer to the client too, is for it.
  const { size } = await stat(log);
  let master: number | undefined;
  let input: Input | undefined;
  try {
    const terminal = streams?.terminal;
    if (terminal !== undefined && (await isRunning(terminal))) master = takeDescriptor(terminal.pid, 0);
    if (request.stdin && master !== undefined && terminal?.stdin === true) input = await terminalInput(master);
    else if (request.stdin && streams?.stdin !== undefined) input = await pipeInput(streams.stdin);
  } catch (error) {
    leave();
    if (master !== undefined) closeAll(master);
    throw error;
  }

  const text = readLog(
    log,
    { follow: true, from: size, over: () => isOver, recheck: over.signal },
    Date.now,
    left.signal,
  );
  const close = (): void => {
    input?.close();
    if (master !== undefined) closeAll(master);
    master = undefined;
  };
  const whenEnded = ended.finally(() => {
    isOver = true;
    over.abort();
    close();
  });
  whenEnded.catch(() => {});
  return {
    ...(input === undefined ? {} : { stdin: input.stdin }),
    stdout: Readable.from(text, { objectMode: false }),
    stderr: Readable.from([]),
    ended: whenEnded,
    resize: (columns, rows) => {
      if (master !== undefined) resizeTerminal(master, columns, rows);
    },
    leave: () => {
      left.abort();
      leave();
      close();
    },
  };
}
