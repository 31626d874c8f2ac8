import { userspaceEngine } from "../../src/proxy/engines/userspace/engine.ts";
import { packetTable } from "./packet-table.ts";

packetTable("userspace", (host) => userspaceEngine(host));
