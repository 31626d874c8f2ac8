import { readFile, rm } from "node:fs/promises";
import { signalProcess, waitForEnd, type ProcessIdentity } from "../../host/process-identity.ts";
import type { DataLayout } from "../data/layout.ts";
import { Failure } from "../failure.ts";

/** How long a process that has lost its supervisor may take to end well, in milliseconds. */
const PATIENCE = 10_000;

async function endOrphan(record: string): Promise<void> {
  const text = await readFile(record, "utf8").catch(() => "");
  if (text === "") return;
  const orphan = JSON.parse(text) as ProcessIdentity;
  if (await signalProcess(orphan, "SIGTERM")) {
    if (!(await waitForEnd(orphan, PATIENCE))) await signalProcess(orphan, "SIGKILL");
    if (!(await waitForEnd(orphan, PATIENCE)))
      throw new Failure(`ending process ${orphan.pid} of an earlier Fairlead: SIGKILL has not ended it within 10 s`);
  }
  await rm(record, { force: true });
}

/**
 * Waits for the server and the site of a supervisor that was killed: they end by themselves when it dies, and two of
 * them at once must not write one database or care for the same pods. Nobody alive may hold the data directory.
 */
export const endOrphans = async (layout: DataLayout): Promise<void> =>
  void (await Promise.all(layout.processes.map(endOrphan)));
