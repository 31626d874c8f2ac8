import { mkdtemp, rm, chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Host, RunOptions, RunResult, Running } from "../../src/host/host.ts";
import { systemHost } from "../../src/host/processes.ts";
import { identityOf, signalProcess, waitForEnd, type ProcessIdentity } from "../../src/host/process-identity.ts";
import { ipBatch } from "../../src/host/ip.ts";
import { isRealRoot, LAB_LINK, standOnOwnGround } from "./ground.ts";

export const ROOT = join(import.meta.dirname, "../..");
/** Where the checkout is seen inside a lab host: a path that an ordinary user may walk, wherever the checkout lies. */
export const CHECKOUT = "/mnt/fairlead";

/** A computer of the test's own: a network and a mount namespace on one wire with the others. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly address6: string;
  /** A directory of its own, gone with the lab. */
  readonly scratch: string;
  /** What must stand before a command to run it on this host. */
  readonly into: readonly string[];
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  check(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  open(
    command: string,
    args: readonly string[],
    options?: { env?: Record<string, string>; cwd?: string },
  ): Promise<Running>;
  /** Does this before the host goes, even when the test failed. */
  atClose(clean: () => Promise<void>): void;
  /** As somebody without any right: for what must work without root. */
  readonly ordinaryUser: readonly string[];
}

export interface Lab {
  readonly host: Host;
  add(name: string): Promise<LabHost>;
  /** Ends what was started and removes what was made. */
  close(): Promise<void>;
}

const SETUP = [
  "mount -t tmpfs -o mode=0755 tmpfs /run",
  "mkdir /run/netns",
  "mount -t tmpfs -o mode=0755 tmpfs /mnt",
  `mkdir ${CHECKOUT}`,
  `mount --bind "$1" ${CHECKOUT}`,
  "ip link set lo up",
  "echo ready >&3",
  "exec 3>&-",
  "exec sleep 1800",
].join(" && ");

/** Makes a lab in the namespace of the test. */
export async function createLab(): Promise<Lab> {
  standOnOwnGround();
  const host = systemHost();
  const directory = await mkdtemp("/tmp/fl-lab-");
  await chmod(directory, 0o755);
  const bridge = `${LAB_LINK}${process.pid % 100000}`;
  await ipBatch(host, [`link add ${bridge} type bridge`, `link set ${bridge} up`]);
  const anchors: ProcessIdentity[] = [];
  const cleanings: (() => Promise<void>)[] = [];
  let count = 0;

  const add = async (name: string): Promise<LabHost> => {
    count += 1;
    const number = count;
    const ready = join(directory, `${name}.ready`);
    const pid = await host.startDetached(
      "unshare",
      ["--net", "--mount", "--propagation", "private", "--", "sh", "-c", SETUP, "sh", ROOT],
      {
        output: join(directory, `${name}.log`),
        files: [ready],
      },
    );
    const { readFile } = await import("node:fs/promises");
    for (let tries = 0; (await readFile(ready, "utf8")) !== "ready\n"; tries++) {
      if (tries > 2000)
        throw new Error(`making lab host ${name}: ${await readFile(join(directory, `${name}.log`), "utf8")}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    anchors.push((await identityOf(pid))!);
    const wire = `${LAB_LINK}${pid}`;
    const address = `10.77.0.${number}`;
    const address6 = `fd77::${number}`;
    await ipBatch(host, [
      `link add ${wire} type veth peer name eth0 netns ${pid}`,
      `link set ${wire} master ${bridge} up`,
    ]);
    const into = ["nsenter", "-t", String(pid), "-n", "-m", "--"];
    const inHost = (command: string, args: readonly string[]): [string, string[]] => [
      into[0]!,
      [...into.slice(1), command, ...args],
    ];
    // Without a link-local address of its own making nothing on the wire changes by itself later.
    await host.check(...inHost("ip", ["-batch", "-"]), {
      input: [
        `link set eth0 addrgenmode none`,
        `link set eth0 up`,
        `addr add ${address}/24 dev eth0`,
        `addr add ${address6}/64 dev eth0 nodad`,
      ].join("\n"),
    });
    const scratch = await mkdtemp(join(directory, `${name}-`));
    await chmod(scratch, 0o777);
    return {
      name,
      address,
      address6,
      scratch,
      into,
      atClose: (clean) => void cleanings.unshift(clean),
      run: (command, args, options) => host.run(...inHost(command, args), options),
      check: (command, args, options) => host.check(...inHost(command, args), options),
      open: (command, args, options) => host.open(...inHost(command, args), options),
      ordinaryUser: isRealRoot()
        ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--"]
        : ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"],
    };
  };

  return {
    host,
    add,
    async close() {
      for (const clean of cleanings) await clean().catch(() => {});
      for (const anchor of anchors) {
        await signalProcess(anchor, "SIGKILL");
        await waitForEnd(anchor, 5000);
      }
      await host.run("ip", ["link", "del", bridge]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
