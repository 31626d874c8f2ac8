import type { Outside } from "../forward/outside.ts";
import type { ZoneFigures } from "../figures/answers.ts";
import type { Source } from "../names/source.ts";
import type { LogRule } from "./query-log/query-log.ts";

/** Who answers the names that end in one zone. */
export interface Block {
  /** In lower case; none for the root. */
  readonly apex: readonly string[];
  /** Asked in this order. */
  readonly sources: readonly Source[];
  /** Asked when none of them knows the name; without it such names are refused. */
  readonly outside: Outside | undefined;
  /** Several addresses come in another order each time (DNS-021). */
  readonly rotates: boolean;
  /** Where its answers are counted. */
  readonly figures?: ZoneFigures | undefined;
  /** Which of its queries are logged. */
  readonly log?: readonly LogRule[];
  /** False: failures are not logged. */
  readonly errors?: boolean;
}

/** The block with the longest zone that ends the name. */
export function blockFor(blocks: readonly Block[], labels: readonly string[]): Block | undefined {
  let best: Block | undefined;
  for (const block of blocks) {
    const depth = labels.length - block.apex.length;
    if (best !== undefined && block.apex.length <= best.apex.length) continue;
    if (depth >= 0 && block.apex.every((label, at) => labels[depth + at] === label)) best = block;
  }
  return best;
}

/** True where somebody is asked for names that are not known here. */
export const recurses = (block: Block): boolean => block.outside !== undefined;
