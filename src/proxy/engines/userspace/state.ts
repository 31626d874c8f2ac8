import type { Refused } from "./carrier/carried.ts";
import type { CarrierLink } from "./carrier-process.ts";
import type { UserspacePart } from "./compile.ts";
import type { UserspaceFrame } from "./frame.ts";

/** What is carried now. Changed in place by `apply`. */
export interface UserspaceState {
  frame: UserspaceFrame | undefined;
  readonly parts: Map<string, UserspacePart>;
  /** How many Services want an address. */
  readonly wanted: Map<string, number>;
  /** Addresses and ranges that hang on our interface. */
  held: Set<string>;
  /** Whether addresses can be made this machine's. */
  isPermitted: boolean | undefined;
  carrier: CarrierLink | undefined;
  refused: readonly Refused[];
}

export const nothingCarried = (held: Set<string>): UserspaceState => ({
  frame: undefined,
  parts: new Map(),
  wanted: new Map(),
  held,
  isPermitted: undefined,
  carrier: undefined,
  refused: [],
});
