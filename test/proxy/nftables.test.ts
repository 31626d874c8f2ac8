import { NFTABLES } from "./lab/nftables-subject.ts";
import { packetTable } from "./packet-table.ts";

packetTable(NFTABLES);
