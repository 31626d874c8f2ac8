import { nftablesEngine } from "../../src/proxy/engines/nftables/engine.ts";
import { packetTable } from "./packet-table.ts";

packetTable({ name: "nftables", open: (host) => nftablesEngine(host) });
