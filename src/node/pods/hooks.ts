import type { LifecycleHandler } from "../../api/generated/types.ts";
import type { Clock } from "../../observe/clock.ts";
import { exec } from "../probes/exec.ts";
import { httpGet } from "../probes/http-get.ts";
import type { ProbeTarget } from "../probes/target.ts";
import { pause } from "./pause.ts";

/**
 * Runs a `postStart` or `preStop` hook to its end, or to the signal; a command is killed then. Throws when it fails: a command by its
 * exit code, an `httpGet` only when there is no answer at all (as the kubelet, any status will do).
 */
export async function runHook(
  hook: LifecycleHandler,
  target: ProbeTarget,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (hook.sleep !== undefined) return pause(clock, hook.sleep.seconds * 1000, signal);
  if (hook.exec !== undefined) {
    const { ok, message } = await exec(hook.exec.command ?? [], target, signal);
    if (!ok) throw new Error(`command ${JSON.stringify(hook.exec.command)}: ${message}`);
    return;
  }
  if (hook.httpGet !== undefined) {
    await httpGet(hook.httpGet, target, "kube-lifecycle", signal);
    return;
  }
  throw new Error("the hook has no action: exec, httpGet or sleep must be given");
}
