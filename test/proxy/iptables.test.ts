import { iptablesEngine } from "../../src/proxy/engines/iptables/engine.ts";
import { iptablesSnapshot } from "./lab/iptables-snapshot.ts";
import { packetTable } from "./packet-table.ts";

packetTable({ name: "iptables", open: (host) => iptablesEngine(host), snapshot: iptablesSnapshot });
