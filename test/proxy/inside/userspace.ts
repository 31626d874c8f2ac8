import { USERSPACE } from "../lab/userspace-subject.ts";
import { packetTable } from "../packet-table.ts";

packetTable(USERSPACE, "rows");
