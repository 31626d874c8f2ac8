import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isRealRoot } from "../lab/ground.ts";
import { insideMachine } from "../lab/machine.ts";

const here = import.meta.dirname;
const isRoot = isRealRoot();

/** Links and forwarding, which the pods inside need. */
const SETUP = `ip link add fairlead0 type bridge && ip link set fairlead0 up &&
  ip addr add 10.244.0.1/32 dev fairlead0 && ip addr add fd00:10:244::1/128 dev fairlead0 nodad &&
  echo 1 >/proc/sys/net/ipv4/ip_forward && echo 1 >/proc/sys/net/ipv6/conf/all/forwarding`;

/** Runs a file of tests in a machine of its own. */
const inside = (t: TestContext, file: string, rootless: boolean): Promise<void> =>
  insideMachine(t, {
    file: join(here, "inside", file),
    rootless,
    setup: SETUP,
    env: { FAIRLEAD_ROOTLESS: rootless ? "1" : "0" },
    deadline: 180_000,
  });

const FILES = [
  "confinement.ts",
  "contents.ts",
  "contract-process.ts",
  "contract-simulated.ts",
  "ending.ts",
  "host-access.ts",
  "life.ts",
  "limits.ts",
  "probes.ts",
  "restarts.ts",
  "sidecars.ts",
  "simulated.ts",
  "streams.ts",
  "volumes.ts",
];

for (const file of FILES) {
  void test(
    `${file} as root`,
    {
      skip: isRoot
        ? false
        : "there is no other user here for root to become; the run without root shows what happens instead",
    },
    (t) => inside(t, file, false),
  );
  void test(`${file} without root`, (t) => inside(t, file, true));
}
