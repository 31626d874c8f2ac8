import type { Host } from "../../host/host.ts";
import { ipBatch, isAlreadySo } from "../../host/ip.ts";
import { nodeLines, podLines, type Sandbox } from "./lines.ts";

/** Takes the link first: `ip netns del` answers before the kernel has taken the link away, and its name could not be used again. */
export async function removeSandbox(host: Host, sandbox: Pick<Sandbox, "namespace" | "link">): Promise<void> {
  for (const args of [
    ["link", "del", sandbox.link],
    ["netns", "del", sandbox.namespace],
  ]) {
    await host.check("ip", args).catch((error: unknown) => {
      if (!isAlreadySo(error)) throw error;
    });
  }
}

/** Makes the pod's network in three tool starts. What an earlier try left behind is removed first. */
export async function makeSandbox(host: Host, sandbox: Sandbox, gateways: readonly string[]): Promise<void> {
  try {
    await ipBatch(host, nodeLines(sandbox));
  } catch (error) {
    if (!isAlreadySo(error)) throw error;
    await removeSandbox(host, sandbox);
    await ipBatch(host, nodeLines(sandbox));
  }
  await Promise.all([
    ipBatch(host, podLines(sandbox, gateways), sandbox.namespace),
    // A container's program may listen on port 80 without a capability, as in every container runtime of today.
    host.check(
      "nsenter",
      [`--net=/run/netns/${sandbox.namespace}`, "tee", "/proc/sys/net/ipv4/ip_unprivileged_port_start"],
      { input: "0" },
    ),
  ]);
}
