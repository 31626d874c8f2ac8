import { access } from "node:fs/promises";
import { ToolFailed, type Host } from "../../host/host.ts";
import { isAlreadySo } from "../../host/ip.ts";
import { inTurn } from "../pods/in-turn.ts";
import type { AddressPool } from "../addresses/pool.ts";
import { nodeLines, podLines, sandboxOf } from "./own-lines.ts";
import type { OwnSandbox, PodNetwork, Sandbox } from "./sandbox.ts";

const GONE = /Cannot find device|No such (file|device)|Command failed/;

/** Takes the link first: `ip netns del` answers before the kernel has taken the link away, and its name could not be used again. */
async function removeSandbox(host: Host, sandbox: OwnSandbox): Promise<void> {
  const input = `link del ${sandbox.link}\nnetns del ${sandbox.namespace}\n`;
  const args = ["-force", "-batch", "-"];
  const result = await host.run("ip", args, { input });
  const complaints = result.stderr.split("\n").filter((line) => line !== "" && !GONE.test(line));
  if (result.code !== 0 && complaints.length > 0) throw new ToolFailed(`ip ${args.join(" ")}`, input, result);
}

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
function sandboxMaker(host: Host, gateways: readonly string[]): (sandbox: OwnSandbox) => Promise<void> {
  let waiting: OwnSandbox[] = [];
  let next: Promise<void> | undefined;
  /** Batches under way: while one waits for the kernel, another makes use of the time. */
  const inLane = inTurn(LANES);

  const make = async (sandboxes: readonly OwnSandbox[]): Promise<void> => {
    const nodeSide = sandboxes.flatMap(nodeLines).join("\n");
    const podSides = sandboxes.flatMap((sandbox) => [sandbox.namespace, podLines(sandbox, gateways).join("\n")]);
    await host.check("sh", ["-c", MAKE, "sh", nodeSide, ...podSides]);
  };

  const alone = async (sandbox: OwnSandbox): Promise<void> => {
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

/** A namespace for each pod, with an address of every range out of the pool. */
export function ownNetwork(host: Host, pool: AddressPool, gateways: readonly string[]): PodNetwork {
  const make = sandboxMaker(host, gateways);
  const own = (sandbox: Sandbox): OwnSandbox => {
    if (sandbox.network === "own") return sandbox;
    throw new Error(`a pod's network of its own: the sandbox is a ${sandbox.network} one`);
  };
  return {
    plan: (uid) => sandboxOf(uid, pool.take()),
    hold: ({ addresses }) => pool.hold(addresses),
    isThere: (sandbox) =>
      access(`/run/netns/${own(sandbox).namespace}`).then(
        () => true,
        () => false,
      ),
    make: (sandbox) => make(own(sandbox)),
    remove: (sandbox) => removeSandbox(host, own(sandbox)),
    release: ({ addresses }) => pool.release(addresses),
  };
}
