import { closeRemovedTests } from "./close-removed.ts";

for (const engine of ["nftables", "iptables"] as const) closeRemovedTests(engine);
