import { ToolFailed, type Host } from "../../host/host.ts";
import { isAlreadySo } from "../../host/ip.ts";
import { inTurn } from "../pods/in-turn.ts";
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

const LANES = 2;

/**
 * Always this same text; what differs comes as its arguments: the lines for the node, then a namespace, the lines for it, and so on.
 * A container's program may listen on port 80 without a capability, as in every container runtime of today.
 */
const MAKE = `
ip -batch - <<LINES || exit
$1
LINES
shift
while [ "$#" -gt 0 ]; do
  nsenter --net="/run/netns/$1" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start && exec ip -batch -' <<LINES || exit
$2
LINES
  shift 2
done
`;

/**
 * Makes pods' networks. Starting a tool from a process as large as ours costs more than what it does here, so all pods that ask
 * while some are made are made together next, with one start. What an earlier try left behind is removed first.
 */
export function sandboxMaker(host: Host, gateways: readonly string[]): MakeSandbox {
  let waiting: Sandbox[] = [];
  let next: Promise<void> | undefined;
  /** Batches under way: while one waits for the kernel, another makes use of the time. */
  const inLane = inTurn(LANES);

  const make = async (sandboxes: readonly Sandbox[]): Promise<void> => {
    const nodeSide = sandboxes.flatMap(nodeLines).join("\n");
    const podSides = sandboxes.flatMap((sandbox) => [sandbox.namespace, podLines(sandbox, gateways).join("\n")]);
    await host.check("sh", ["-c", MAKE, "sh", nodeSide, ...podSides]);
  };

  const alone = async (sandbox: Sandbox): Promise<void> => {
    try {
      await make([sandbox]);
    } catch (error) {
      if (!isAlreadySo(error)) throw error;
      await removeSandbox(host, sandbox);
      await make([sandbox]);
    }
  };

  /** Fails for all when one fails: each is then made alone, and fails alone. */
  const together = async (): Promise<void> => {
    // All that ask in this turn are in.
    await new Promise(setImmediate);
    const batch = waiting;
    waiting = [];
    next = undefined;
    await make(batch);
  };

  return async (sandbox) => {
    waiting.push(sandbox);
    next ??= inLane(together);
    const mine = next;
    await mine.catch(() => alone(sandbox));
  };
}
