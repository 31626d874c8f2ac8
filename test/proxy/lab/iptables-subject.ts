import type { IptPart } from "../../../src/proxy/engines/iptables/compile.ts";
import type { IptFrame } from "../../../src/proxy/engines/iptables/frame.ts";
import type { IptState } from "../../../src/proxy/engines/iptables/state.ts";
import { iptablesEngine } from "../../../src/proxy/engines/iptables/engine.ts";
import { iptablesSnapshot } from "./iptables-snapshot.ts";
import type { Subject } from "../table/subject.ts";

/** iptables for the packet table. */
export const IPTABLES: Subject<IptPart, IptFrame, IptState> = {
  name: "iptables",
  open: (host) => iptablesEngine(host),
  snapshot: iptablesSnapshot,
};
