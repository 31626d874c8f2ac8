import type { TestContext } from "node:test";
import { systemHost } from "../../src/host/processes.ts";
import { isRealRoot } from "./ground.ts";
import { tellNested } from "./tap.ts";

/** A test file that needs a machine of its own. */
export interface MachineRun {
  /** The test file, by its whole path. */
  readonly file: string;
  /** As an ordinary user without a name, root only in a user namespace; else as whoever runs the tests. */
  readonly rootless: boolean;
  /** Shell commands that make more of the machine than its own /run and loopback. Constant text. */
  readonly setup?: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds for all of it. */
  readonly deadline: number;
}

const host = systemHost();
const MACHINE = "mount -t tmpfs tmpfs /run && mkdir -p /run/netns && ip link set lo up";

/** Runs a test file in namespaces of its own; each of its tests is told as one of `t`'s own, under its own name. */
export async function insideMachine(t: TestContext, run: MachineRun): Promise<void> {
  const { file, rootless, setup, env = {}, deadline } = run;
  const enter = rootless ? ["unshare", "-Urnm"] : ["unshare", "-nm"];
  // An ordinary user of no name: nothing on the machine belongs to it.
  const become = rootless && isRealRoot() ? ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"] : [];
  const [command, ...args] = [...become, ...enter] as [string, ...string[]];
  const make = [MACHINE, ...(setup === undefined ? [] : [setup]), 'exec "$@"'].join(" && ");
  const runner = [process.execPath, "--disable-warning=ExperimentalWarning", "--test", "--test-reporter=tap"];
  args.push("sh", "-c", make, "sh", ...runner, `--test-timeout=${deadline}`, file);
  // Without NODE_TEST_CONTEXT the runner inside reports for itself.
  const { NODE_TEST_CONTEXT: _, ...own } = process.env as Record<string, string>;
  const { code, stdout, stderr } = await host.run(command, args, {
    env: { ...own, HOME: "/", ...env },
    cwd: "/",
    timeout: deadline + 60_000,
  });
  await tellNested(t, { status: code, stdout, stderr });
}
