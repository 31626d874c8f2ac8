import type { NftPart } from "../../../src/proxy/engines/nftables/compile.ts";
import type { NftFrame } from "../../../src/proxy/engines/nftables/frame.ts";
import type { NftState } from "../../../src/proxy/engines/nftables/state.ts";
import { nftablesEngine } from "../../../src/proxy/engines/nftables/engine.ts";
import { nftablesExact, nftablesSnapshot } from "./nftables-snapshot.ts";
import type { Subject } from "../table/subject.ts";

/** nftables for the packet table. */
export const NFTABLES: Subject<NftPart, NftFrame, NftState> = {
  name: "nftables",
  open: (host) => nftablesEngine(host),
  snapshot: nftablesSnapshot,
  exact: nftablesExact,
};
