import type { ProbeResult } from "./result.ts";
import type { ProbeTarget } from "./target.ts";

/** How much of what a command says is kept for a message, in characters. */
const HEARD = 1024;

/** Runs a command in the container; when the signal comes first, the command is killed and this rejects. */
export async function exec(command: readonly string[], target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const opening = target.exec(command);
  const work = async (): Promise<ProbeResult> => {
    const execution = await opening;
    let said = "";
    const hear = (chunk: Buffer): void => {
      if (said.length < HEARD) said += chunk.toString().slice(0, HEARD - said.length);
    };
    execution.stdout.on("data", hear);
    execution.stderr.on("data", hear);
    const code = await execution.ended;
    return { ok: code === 0, message: said.trim() || `exit code ${code}` };
  };
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    // One that is only being started is killed as soon as it runs.
    void opening.then(
      (execution) => execution.kill(),
      () => {},
    );
    aborted.reject(signal.reason);
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort);
  try {
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
