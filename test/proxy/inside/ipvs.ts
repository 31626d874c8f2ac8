import { systemClock } from "../../../src/observe/clock.ts";
import { ipvsEngine } from "../../../src/proxy/engines/ipvs/engine.ts";
import { packetTable } from "../packet-table.ts";

packetTable({
  name: "ipvs",
  open: (host) => ipvsEngine(host, systemClock),
  exceptions: {
    "PRX-060": {
      why: "the kernel takes a Service's own address for the source of the node's calls to it, and no pod could answer that",
      instead: (cell, was) => (cell.from === "node" && typeof was === "object" ? { ...was, source: "node" } : was),
    },
  },
});
