import { access } from "node:fs/promises";
import type { Host } from "../../host/host.ts";
import { ipBatch, isAlreadySo } from "../../host/ip.ts";
import type { AddressPool } from "../addresses/pool.ts";
import type { PodNetwork, Sandbox, SharedSandbox } from "./sandbox.ts";
import {
  insideLinkLines,
  localLines,
  makingLines,
  nodeLinkLines,
  noLocalLines,
  noWayLines,
  SHARED_LINK,
  SHARED_NAMESPACE,
  wayLines,
} from "./shared-lines.ts";

const PATH = `/run/netns/${SHARED_NAMESPACE}`;

const isThere = (): Promise<boolean> =>
  access(PATH).then(
    () => true,
    () => false,
  );

const lineByLine = async (host: Host, lines: readonly string[]): Promise<void> => {
  for (const line of lines) {
    await ipBatch(host, [line]).catch((error: unknown) => {
      if (!isAlreadySo(error)) throw error;
    });
  }
};

/** Takes away what is there of it: each line is for itself. */
const withoutFail = (host: Host, lines: readonly string[], into: readonly string[] = []): Promise<unknown> =>
  host.run("ip", [...into, "-force", "-batch", "-"], { input: `${lines.join("\n")}\n` });

/**
 * One namespace for all pods without programs: each has addresses of its own out of the pool, and a way to each of them. It
 * is made for the first pod and goes with the last. All that ask while a change is under way are served together by the next.
 */
export function sharedNetwork(host: Host, pool: AddressPool, ranges: readonly string[]): PodNetwork {
  /** Who needs the namespace, by first address. */
  const needed = new Set<string>();
  let isMade = false;
  let adding: SharedSandbox[] = [];
  let removing: SharedSandbox[] = [];
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  const shared = (sandbox: Sandbox): SharedSandbox => {
    if (sandbox.network === "shared") return sandbox;
    throw new Error(`the network that pods share: the sandbox is a ${sandbox.network} one`);
  };
  const keyOf = ({ addresses }: Sandbox): string => addresses[0] ?? "";

  /** Once in our life it is looked over whole: an earlier one of us may have died half-way. */
  const makeNamespace = async (): Promise<void> => {
    await lineByLine(host, makingLines);
    await ipBatch(host, nodeLinkLines(ranges));
    await ipBatch(host, insideLinkLines(ranges), SHARED_NAMESPACE);
    isMade = true;
  };

  const takeNamespace = async (): Promise<void> => {
    isMade = false;
    // The link first: a namespace that is gone by name may keep it for a moment, and its name could not be used again.
    await lineByLine(host, [`link del ${SHARED_LINK}`]);
    if (await isThere()) await lineByLine(host, [`netns del ${SHARED_NAMESPACE}`]);
  };

  const change = async (): Promise<void> => {
    // All that ask in this turn are in.
    await new Promise(setImmediate);
    const [added, removed] = [adding, removing];
    adding = [];
    removing = [];
    next = undefined;
    // A pod that was begun anew while the old try was taken away has both: what is added counts.
    const gone = removed.filter((one) => !added.some((other) => keyOf(other) === keyOf(one))).flatMap(addressesOf);
    if (gone.length > 0 && needed.size > 0 && (await isThere())) {
      await Promise.all([
        withoutFail(host, noWayLines(gone)),
        withoutFail(host, noLocalLines(gone), ["-n", SHARED_NAMESPACE]),
      ]);
    }
    if (needed.size === 0) return takeNamespace();
    if (added.length === 0) return;
    if (!isMade || !(await isThere())) await makeNamespace();
    const come = added.flatMap(addressesOf);
    await Promise.all([ipBatch(host, wayLines(come)), ipBatch(host, localLines(come), SHARED_NAMESPACE)]);
  };

  const soon = (): Promise<void> => {
    next ??= running.then(change, change);
    running = next;
    return next;
  };

  return {
    plan(uid) {
      const addresses = pool.take();
      if (addresses.length === 0) throw new Error(`giving the pod ${uid} an address: there is no range of pods`);
      const sandbox: SharedSandbox = { network: "shared", namespace: SHARED_NAMESPACE, addresses };
      needed.add(keyOf(sandbox));
      return sandbox;
    },
    hold(sandbox) {
      needed.add(keyOf(sandbox));
      pool.hold(sandbox.addresses);
    },
    isThere,
    make(sandbox) {
      needed.add(keyOf(sandbox));
      adding.push(shared(sandbox));
      return soon();
    },
    remove(sandbox) {
      needed.delete(keyOf(sandbox));
      removing.push(shared(sandbox));
      return soon();
    },
    release: ({ addresses }) => pool.release(addresses),
  };
}

const addressesOf = ({ addresses }: SharedSandbox): readonly string[] => addresses;
