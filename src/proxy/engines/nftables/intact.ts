import type { Host } from "../../../host/host.ts";
import { checkText, NftFailed } from "../../../host/nft.ts";
import { TABLE, TABLE_FAMILY } from "./elements.ts";
import { readGeneration } from "./read.ts";
import type { NftState } from "./state.ts";

/**
 * Whether what we wrote is still there: the number of our last transaction, every rule of the fixed chains, and of
 * every set and map one element, another one at each look. nft is asked whether it could delete them, and deletes
 * nothing: that costs a few milliseconds, where listing a large table costs many seconds and a gigabyte.
 */
export async function intact(host: Host, was: NftState, signal: AbortSignal): Promise<boolean> {
  for (const [family, generation] of was.generations) {
    signal.throwIfAborted();
    if ((await readGeneration(host, family)) !== generation) return false;
  }
  const lines = was.rules.map((rule) => `delete rule ${rule}`);
  for (const { family, set, key } of was.table.sample()) {
    lines.push(`delete element ${TABLE_FAMILY[family]} ${TABLE} ${set} { ${key} }`);
  }
  const complaint = await checkText(host, `${lines.join("\n")}\n`, signal);
  if (complaint === undefined) return true;
  if (/No such file or directory|Could not process rule/.test(complaint)) return false;
  throw new NftFailed(complaint, lines.join("\n"));
}
