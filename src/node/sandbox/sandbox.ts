import { ToolFailed, type Host } from "../../host/host.ts";
import { ipBatch, isAlreadySo } from "../../host/ip.ts";
import { nodeLines, podLines, type Sandbox } from "./lines.ts";

const GONE = /Cannot find device|No such (file|device)|Command failed/;

/** Takes the link first: `ip netns del` answers before the kernel has taken the link away, and its name could not be used again. */
export async function removeSandbox(host: Host, sandbox: Pick<Sandbox, "namespace" | "link">): Promise<void> {
  const input = `link del ${sandbox.link}\nnetns del ${sandbox.namespace}\n`;
  const args = ["-force", "-batch", "-"];
  const result = await host.run("ip", args, { input });
  const complaints = result.stderr.split("\n").filter((line) => line !== "" && !GONE.test(line));
  if (result.code !== 0 && complaints.length > 0) throw new ToolFailed(`ip ${args.join(" ")}`, input, result);
}

/** Makes the networks of pods. */
export type MakeSandbox = (sandbox: Sandbox) => Promise<void>;

/**
 * Makes pods' networks. Starting a tool costs more than what it does here, so the node's side of all pods that ask
 * while one tool runs is made by the next. What an earlier try left behind is removed first.
 */
export function sandboxMaker(host: Host, gateways: readonly string[]): MakeSandbox {
  let waiting: Sandbox[] = [];
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  const alone = async (sandbox: Sandbox): Promise<void> => {
    try {
      await ipBatch(host, nodeLines(sandbox));
    } catch (error) {
      if (!isAlreadySo(error)) throw error;
      await removeSandbox(host, sandbox);
      await ipBatch(host, nodeLines(sandbox));
    }
  };

  /** Fails for all when one fails: each is then made alone, and fails alone. */
  const together = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    next = undefined;
    await ipBatch(host, batch.flatMap(nodeLines));
  };

  const nodeSide = async (sandbox: Sandbox): Promise<void> => {
    waiting.push(sandbox);
    next ??= last.then(together);
    const mine = next;
    last = mine.catch(() => {});
    await mine.catch(() => alone(sandbox));
  };

  return async (sandbox) => {
    await nodeSide(sandbox);
    await Promise.all([
      ipBatch(host, podLines(sandbox, gateways), sandbox.namespace),
      // A container's program may listen on port 80 without a capability, as in every container runtime of today.
      host.check(
        "nsenter",
        [`--net=/run/netns/${sandbox.namespace}`, "tee", "/proc/sys/net/ipv4/ip_unprivileged_port_start"],
        { input: "0" },
      ),
    ]);
  };
}
