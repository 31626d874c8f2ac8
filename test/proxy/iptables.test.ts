import { iptablesEngine } from "../../src/proxy/engines/iptables/engine.ts";
import { packetTable } from "./packet-table.ts";

packetTable("iptables", (host) => iptablesEngine(host));
