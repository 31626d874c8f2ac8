import { userspaceEngine } from "../../src/proxy/engines/userspace/engine.ts";
import { userspaceSnapshot } from "./lab/userspace-snapshot.ts";
import { packetTable } from "./packet-table.ts";

packetTable({ name: "userspace", open: (host) => userspaceEngine(host), snapshot: userspaceSnapshot });
