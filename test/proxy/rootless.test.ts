import { join } from "node:path";
import { test } from "node:test";
import { isRealRoot } from "../lab/ground.ts";
import { insideMachine } from "../lab/machine.ts";

const skip = isRealRoot()
  ? false
  : "this run is an ordinary user's already, and each engine's own file takes the table";

// The rows alone: how engines choose and change is the same whoever they belong to.
for (const engine of ["nftables", "iptables", "userspace"]) {
  void test(`${engine} without root`, { skip }, (t) =>
    insideMachine(t, {
      file: join(import.meta.dirname, `inside/${engine}.ts`),
      rootless: true,
      // Its results are of the same table as root's; the user has no place to keep them.
      env: { FAIRLEAD_GROUND: "own", FAIRLEAD_PACKETS: "/run/packets" },
      deadline: 400_000,
    }),
  );
}
