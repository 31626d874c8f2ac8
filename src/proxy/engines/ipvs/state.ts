import type { IpvsPart, VirtualServer } from "./compile.ts";
import type { IpvsFrame } from "./frame.ts";
import { ElementLedger, type MarkedElement } from "./ledger.ts";
import type { Protocol } from "../../plan/plan.ts";
import { markFor, MAX_MARK_NUMBER } from "./names.ts";
import type { HeldServer } from "./words.ts";

/** A Service as it was applied: with the marks its lists for outsiders were given. */
export interface AppliedPart {
  readonly part: IpvsPart;
  readonly elements: readonly MarkedElement[];
  readonly servers: ReadonlyMap<string, VirtualServer>;
  /** By the id of the list. */
  readonly marks: ReadonlyMap<string, number>;
}

/** What the kernel holds of ours. After a failure it is thrown away and read anew. */
export class IpvsState {
  readonly ledger = new ElementLedger();
  /** Virtual servers that are ours, as the kernel has them: real servers on their way out, too. */
  readonly servers = new Map<string, HeldServer>();
  /** Those of others: one that a Service wants is taken over. */
  readonly foreign = new Map<string, HeldServer>();
  /** Virtual servers that Services want. */
  readonly wanted = new Map<string, VirtualServer>();
  readonly parts = new Map<string, AppliedPart>();
  frame: IpvsFrame | undefined;
  readonly #marks = new Set<number>();
  /** Marks found in the kernel which no list has claimed yet. */
  readonly #found = new Set<number>();
  #cursor = 0;

  foundMark(mark: number): void {
    this.#found.add(mark);
  }

  /** The mark that a list had before a restart, else one that nobody uses. */
  takeMark(protocol: Protocol, before: number | undefined): number {
    if (before !== undefined && this.#found.delete(before)) {
      this.#marks.add(before);
      return before;
    }
    const used = this.#marks.size + this.#found.size;
    if (used >= MAX_MARK_NUMBER) {
      throw new RangeError(`numbering lists for outsiders: there are ${used}, the most there can be`);
    }
    // Round and round, so that a number is not soon another's.
    let mark: number;
    do {
      this.#cursor = (this.#cursor % MAX_MARK_NUMBER) + 1;
      mark = markFor(this.#cursor, protocol);
    } while (this.#marks.has(mark) || this.#found.has(mark));
    this.#marks.add(mark);
    return mark;
  }

  freeMark(mark: number): void {
    this.#marks.delete(mark);
  }

  /** Marks found and claimed by nobody are free. */
  forgetFound(): void {
    this.#found.clear();
  }
}
