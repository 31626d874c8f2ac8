import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../../host/host.ts";
import { identityOf, isRunning, type ProcessIdentity } from "../../host/process-identity.ts";
import { Failure } from "../failure.ts";

/**
 * A private site's namespaces live as long as one sleeping process, the anchor: Fairlead may die and come back to them.
 * /run is a fresh one, because `ip netns` keeps its names there and the host's sockets have no business in a site.
 */
const ANCHOR_SCRIPT =
  "mount -t tmpfs -o mode=0755 tmpfs /run && mkdir /run/netns && ip link set lo up && echo ready >&3 && exec 3>&- && exec sleep infinity";

/** How a command is put into the site: what stands before it. */
export const intoSite = (anchor: ProcessIdentity | undefined, rootless: boolean): readonly string[] =>
  anchor === undefined
    ? []
    : [
        "nsenter",
        "-t",
        String(anchor.pid),
        ...(rootless ? ["-U", "--preserve-credentials"] : []),
        "-n",
        "-m",
        "--wd=.",
        "--",
      ];

/** Makes the namespaces. Throws Failure when the kernel does not allow it. */
export async function startAnchor(host: Host, rootless: boolean, run: string): Promise<ProcessIdentity> {
  await mkdir(run, { recursive: true, mode: 0o700 });
  const output = join(run, "anchor.log");
  const ready = join(run, "anchor.ready");
  await rm(output, { force: true });
  const pid = await host.startDetached(
    "unshare",
    [
      ...(rootless ? ["--user", "--map-root-user"] : []),
      "--net",
      "--mount",
      "--propagation",
      "private",
      "--",
      "sh",
      "-c",
      ANCHOR_SCRIPT,
    ],
    { output, files: [ready] },
  );
  const deadline = performance.now() + 10_000;
  for (;;) {
    if ((await readFile(ready, "utf8")) === "ready\n") break;
    if ((await identityOf(pid)) === undefined || performance.now() > deadline) {
      const said = (await readFile(output, "utf8")).trim().split("\n")[0] ?? "";
      throw new Failure(
        `making a private site: ${said === "" ? "the namespaces did not come up" : said}; ` +
          (rootless
            ? "running without root needs user namespaces: allow them with 'sysctl user.max_user_namespaces=15000' (on Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0), or run as root"
            : "root with CAP_SYS_ADMIN is needed"),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const identity = await identityOf(pid);
  if (identity === undefined) throw new Failure("making a private site: its anchor process ended at once");
  return identity;
}

/** The anchor of an earlier run, if it still lives. */
export const livingAnchor = async (anchor: ProcessIdentity | undefined): Promise<ProcessIdentity | undefined> =>
  anchor !== undefined && (await isRunning(anchor)) ? anchor : undefined;
