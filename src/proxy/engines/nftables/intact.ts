import type { Host } from "../../../host/host.ts";
import { readGeneration } from "./read.ts";
import type { NftState } from "./state.ts";

/** Whether our tables are there and hold the number of our last transaction: one small map a family is read. */
export async function intact(host: Host, was: NftState, signal: AbortSignal): Promise<boolean> {
  for (const [family, generation] of was.generations) {
    signal.throwIfAborted();
    if ((await readGeneration(host, family)) !== generation) return false;
  }
  return true;
}
