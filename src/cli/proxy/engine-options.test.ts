import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { withDefaults } from "../../proxy/configuration/defaults.ts";
import { engineOptions } from "./engine-options.ts";

test("PRX-231, PRX-232, PRX-233, PRX-234, PRX-245: what belongs to one mode comes to its engine, in seconds", () => {
  deepEqual(engineOptions(withDefaults({})), {
    iptables: { tcpBeLiberal: false },
    ipvs: { scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 },
  });
  const ipvs = {
    scheduler: "sh",
    strictARP: true,
    excludeCIDRs: ["10.0.0.0/8"],
    tcpTimeout: 900_000,
    tcpFinTimeout: 120_000,
    udpTimeout: 300_000,
  };
  deepEqual(engineOptions(withDefaults({ ipvs, conntrack: { tcpBeLiberal: true } })), {
    iptables: { tcpBeLiberal: true },
    ipvs: { ...ipvs, tcpTimeout: 900, tcpFinTimeout: 120, udpTimeout: 300 },
  });
});
