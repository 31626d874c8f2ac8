import { systemClock } from "../../../src/observe/clock.ts";
import { ipvsEngine } from "../../../src/proxy/engines/ipvs/engine.ts";
import { packetTable } from "../packet-table.ts";

packetTable({ name: "ipvs", open: (host) => ipvsEngine(host, systemClock) });
