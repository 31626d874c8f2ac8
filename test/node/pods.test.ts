import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isRealRoot } from "../lab/ground.ts";
import { tellNested } from "../lab/tap.ts";

const here = import.meta.dirname;
const isRoot = isRealRoot();

/** Makes the machine that the tests inside need: their own /run, links and forwarding. Constant text. */
const MACHINE = `mount -t tmpfs tmpfs /run && mkdir -p /run/netns && ip link set lo up &&
  ip link add fairlead0 type bridge && ip link set fairlead0 up &&
  ip addr add 10.244.0.1/32 dev fairlead0 && ip addr add fd00:10:244::1/128 dev fairlead0 nodad &&
  echo 1 >/proc/sys/net/ipv4/ip_forward && echo 1 >/proc/sys/net/ipv6/conf/all/forwarding && exec "$@"`;

/** Runs a file of tests in a machine of its own; each of them is a test here, under its own name. */
async function inside(t: TestContext, file: string, rootless: boolean): Promise<void> {
  const enter = rootless ? ["unshare", "-Urnm"] : ["unshare", "-nm"];
  // An ordinary user of no name: nothing on the machine belongs to it.
  const become = rootless && isRoot ? ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"] : [];
  const [command, ...args] = [...become, ...enter] as [string, ...string[]];
  const run = [process.execPath, "--test", "--test-reporter=tap", "--test-timeout=180000", join(here, "inside", file)];
  args.push("sh", "-c", MACHINE, "sh", ...run);
  const env: NodeJS.ProcessEnv = { ...process.env, FAIRLEAD_ROOTLESS: rootless ? "1" : "0", HOME: "/" };
  // So that the runner inside reports for itself.
  delete env["NODE_TEST_CONTEXT"];
  const ran = spawnSync(command, args, { env, cwd: "/", encoding: "utf8", timeout: 420_000 });
  await tellNested(t, ran);
}

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
