import { IPTABLES } from "../lab/iptables-subject.ts";
import { packetTable } from "../packet-table.ts";

packetTable(IPTABLES, "rows");
