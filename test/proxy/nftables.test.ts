import { nftablesEngine } from "../../src/proxy/engines/nftables/engine.ts";
import { nftablesExact, nftablesSnapshot } from "./lab/nftables-snapshot.ts";
import { packetTable } from "./packet-table.ts";

packetTable({
  name: "nftables",
  open: (host) => nftablesEngine(host),
  snapshot: nftablesSnapshot,
  exact: nftablesExact,
});
