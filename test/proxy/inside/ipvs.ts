import { IPVS } from "../lab/ipvs-subject.ts";
import { packetTable } from "../packet-table.ts";

packetTable(IPVS, "rows");
