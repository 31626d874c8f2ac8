import { udpFlowTests } from "./udp-flows.ts";

for (const engine of ["nftables", "iptables"] as const) udpFlowTests(engine);
