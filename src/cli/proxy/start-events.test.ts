import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { startEvents } from "./start-events.ts";

test("PRX-121: every mode tells that it starts, and ipvs that it is deprecated", () => {
  const reasons = (mode: Parameters<typeof startEvents>[0]): string[] =>
    startEvents(mode).map(([type, reason]) => `${type} ${reason}`);
  for (const mode of ["nftables", "iptables", "userspace"] as const) deepEqual(reasons(mode), ["Normal Starting"]);
  deepEqual(reasons("ipvs"), ["Normal Starting", "Warning IPVSDeprecation"]);
});
