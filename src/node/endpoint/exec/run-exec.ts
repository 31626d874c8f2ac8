import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Log } from "../../../observe/log.ts";
import type { Attachment, Execution } from "../../runtimes/runtime.ts";
import type { ExecChannels } from "./exec-channels.ts";
import { exitStatus, failureStatus, SUCCESS, type ExitStatus } from "./exit-status.ts";
import { holdOutput, type ProgramStreams } from "./hold-output.ts";

/** A program that a client is joined to. */
export interface Joinable extends ProgramStreams {
  readonly stdin: Writable | undefined;
  /** What the client is told when it ends. */
  readonly ended: Promise<ExitStatus>;
  readonly resize: (columns: number, rows: number) => void;
  /** The client has gone, or cannot be told any more. */
  leave(): void;
}

/** A further program ends with its client, and its exit code is told. */
export const ofExecution = (execution: Execution): Joinable => ({
  ...holdOutput(execution),
  stdin: execution.stdin,
  ended: execution.ended.then(exitStatus),
  resize: (columns, rows) => execution.resize?.(columns, rows),
  leave: () => execution.kill(),
});

/** A container's own program goes on when its client leaves; its exit code is in the pod's status and nowhere else, as with kubelet. */
export const ofAttachment = (attachment: Attachment): Joinable => ({
  ...holdOutput(attachment),
  stdin: attachment.stdin,
  ended: attachment.ended.then(() => SUCCESS),
  resize: (columns, rows) => attachment.resize?.(columns, rows),
  leave: () => attachment.leave(),
});

function feed(from: Readable | undefined, to: Writable | undefined): void {
  if (from === undefined) {
    to?.end();
    return;
  }
  // What the client sends to a command that reads no more is dropped, so that its connection goes on to be read.
  const drop = (): void => {
    if (to !== undefined) from.unpipe(to);
    from.resume();
  };
  if (to === undefined || to.destroyed) return drop();
  to.once("close", drop);
  to.on("error", drop);
  from.on("error", () => to.destroy());
  from.pipe(to);
}

async function tell(from: Readable, to: Writable | undefined): Promise<void> {
  if (to !== undefined) return pipeline(from, to);
  from.resume();
}

async function endOf({ ended }: Joinable, log: Log): Promise<ExitStatus> {
  try {
    return await ended;
  } catch (error) {
    log.warn({ error: (error as Error).message }, "the end of a program is not known");
    return failureStatus((error as Error).message);
  }
}

/** Joins a program to a client's streams until it has ended and all its output is told, or the client has gone. */
export async function join(program: Joinable, channels: ExecChannels, log: Log): Promise<void> {
  const leave = (): void => program.leave();
  const gone = new Promise<void>((resolve) => channels.gone.addEventListener("abort", () => resolve()));
  if (channels.gone.aborted) leave();
  else channels.gone.addEventListener("abort", leave, { once: true });
  channels.onResize(program.resize);
  feed(channels.stdin, program.stdin);
  await Promise.all([tell(program.stdout, channels.stdout), tell(program.stderr, channels.stderr)]).catch(
    (error: Error) => {
      if (!channels.gone.aborted) log.debug({ error: error.message }, "a program's output could not be told");
      leave();
    },
  );
  const status = await Promise.race([endOf(program, log), gone]);
  // From here on the process id may be another's.
  channels.gone.removeEventListener("abort", leave);
  if (status !== undefined && !channels.gone.aborted) await channels.finish(status);
}
