import { rm } from "node:fs/promises";
import type { PodRecord } from "../state/pod-record.ts";
import type { PodContext } from "./context.ts";
import { pause } from "./pause.ts";

/** Takes away everything that was made for a pod whose containers have ended; its record last, so that a death in between is made good later. */
export async function removePod(context: PodContext, record: PodRecord): Promise<void> {
  const network = context.networks[record.sandbox.network];
  await context.runtimes.named(record.runtime).endLeftovers?.(context.files.pod(record.uid), record.sandbox);
  await Promise.all([network.remove(record.sandbox), context.volumes.end(record.uid)]);
  await Promise.all(
    [context.files.pod(record.uid), context.files.volumes(record.uid), context.files.logs(record)].map((path) =>
      rm(path, { recursive: true, force: true }),
    ),
  );
  await context.records.remove(record.uid);
  network.release(record.sandbox);
}

/** How long a program of a pod that nobody knows any more has to end, in milliseconds. */
const ORPHAN_GRACE = 1_000;

/** Ends the containers of a pod by its record alone, SIGTERM first, and takes away what was made for it. */
export async function endByRecord(context: PodContext, record: PodRecord): Promise<void> {
  const { clock } = context;
  const runtime = context.runtimes.named(record.runtime);
  const all = Object.values(record.containers).flatMap(({ started }) => (started === undefined ? [] : [started]));
  await Promise.all(
    all.map(async (started) => {
      if ((await runtime.status(started)).state === "exited") return;
      const ended = new AbortController();
      const stopWatching = runtime.watch(started, () => {
        void runtime.status(started).then(({ state }) => {
          if (state === "exited") ended.abort();
        });
      });
      await runtime.stop(started, "SIGTERM");
      await pause(clock, ORPHAN_GRACE, ended.signal);
      if (!ended.signal.aborted) await runtime.stop(started, "SIGKILL");
      await pause(clock, ORPHAN_GRACE, ended.signal);
      stopWatching();
    }),
  );
  await removePod(context, record);
}
