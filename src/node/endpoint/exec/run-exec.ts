import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Log } from "../../../observe/log.ts";
import type { Execution } from "../../runtimes/runtime.ts";
import type { ExecChannels } from "./exec-channels.ts";
import { exitStatus, failureStatus, type ExitStatus } from "./exit-status.ts";

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

async function endOf(execution: Execution, log: Log): Promise<ExitStatus> {
  try {
    return exitStatus(await execution.ended);
  } catch (error) {
    log.warn({ error: (error as Error).message }, "the end of a command is not known");
    return failureStatus((error as Error).message);
  }
}

/** Joins a command to a client's streams until it has ended and all its output is told. Ends the command when the client goes. */
export async function runExec(execution: Execution, channels: ExecChannels, log: Log): Promise<void> {
  const kill = (): void => execution.kill();
  if (channels.gone.aborted) kill();
  else channels.gone.addEventListener("abort", kill, { once: true });
  feed(channels.stdin, execution.stdin);
  await Promise.all([tell(execution.stdout, channels.stdout), tell(execution.stderr, channels.stderr)]).catch(
    (error: Error) => {
      if (!channels.gone.aborted) log.debug({ error: error.message }, "a command's output could not be told");
      kill();
    },
  );
  const status = await endOf(execution, log);
  // From here on the process id may be another's.
  channels.gone.removeEventListener("abort", kill);
  if (!channels.gone.aborted) await channels.finish(status);
}
