import { systemClock } from "../../../src/observe/clock.ts";
import type { IpvsPart } from "../../../src/proxy/engines/ipvs/compile.ts";
import { ipvsEngine } from "../../../src/proxy/engines/ipvs/engine.ts";
import type { IpvsFrame } from "../../../src/proxy/engines/ipvs/frame.ts";
import type { IpvsState } from "../../../src/proxy/engines/ipvs/state.ts";
import { ipvsExact, ipvsSnapshot } from "./ipvs-snapshot.ts";
import type { Subject } from "../table/subject.ts";

const REMEMBERED =
  "IPVS remembers a client while the kernel tracks any connection of it, an ended one too, and then for its time";

/** IPVS for the packet table. */
export const IPVS: Subject<IpvsPart, IpvsFrame, IpvsState> = {
  name: "ipvs",
  nodeIsHere: true,
  open: (host) => ipvsEngine(host, systemClock),
  snapshot: ipvsSnapshot,
  exact: ipvsExact,
  exceptions: {
    "PRX-060": {
      why: "the kernel takes a Service's own address for the source of the node's calls to it, and no pod could answer that",
      instead: (cell, was) => (cell.from === "node" && typeof was === "object" ? { ...was, source: "node" } : was),
    },
    "PRX-097": { why: REMEMBERED, instead: "unanswered" },
    "PRX-099": { why: `${REMEMBERED}: who comes back in that time finds its clients again`, instead: "unanswered" },
  },
};
