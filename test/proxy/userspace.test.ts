import { userspaceEngine } from "../../src/proxy/engines/userspace/engine.ts";
import { packetTable } from "./packet-table.ts";

packetTable({ name: "userspace", open: (host) => userspaceEngine(host) });
