import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { backoff } from "../../client/backoff.ts";
import { createCache } from "../../client/cache.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events.ts";
import { timestamp, type Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { pause } from "../pods/pause.ts";
import { LEASE_SECONDS, renewLease } from "./lease.ts";
import { nodeLabels, nodeObject, nodeStatus, type NodeFacts } from "./node-object.ts";

/** How often the status is told again when nothing has changed, in milliseconds (the kubelet's own interval). */
const STATUS_INTERVAL = 300_000;
/** How often the lease is renewed, in milliseconds, and how much later by chance, so that many nodes do not come at once. */
const LEASE_INTERVAL = (LEASE_SECONDS * 1000) / 4;
const JITTER = 0.04;

export interface RegistrationOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly facts: NodeFacts;
}

const readyOf = (node: Node) => node.status?.conditions?.find(({ type }) => type === "Ready");
const isReady = (node: Node): boolean => readyOf(node)?.status === "True";

/** A wait that something else may end before its time. */
function bell(clock: Clock, signal: AbortSignal) {
  let rung = new AbortController();
  return {
    ring: (): void => rung.abort(),
    wait: async (milliseconds: number): Promise<void> => {
      await pause(clock, milliseconds, AbortSignal.any([rung.signal, signal]));
      if (rung.signal.aborted) rung = new AbortController();
    },
  };
}

/**
 * Creates the Node or takes over one of that name, whose other labels, taints and `unschedulable` stay; tells its status and renews its
 * lease, until the signal. A Node that is deleted, or said not to be ready, meanwhile is put right at once.
 */
export async function keepRegistered(options: RegistrationOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, events, facts, log, random } = options;
  const name = facts.nodeName;
  const reference = { apiVersion: "v1", kind: "Node", metadata: { name, uid: name } };
  const { ring, wait } = bell(clock, signal);
  let node: Node | undefined;
  /** The Node that was deleted last. */
  let gone: string | undefined;
  /** The Node whose lease is written whole. */
  let leased: string | undefined;
  let statusDue = 0;
  let leaseDue = 0;

  const watched = createCache<Node>({
    client,
    clock,
    random,
    log,
    resource: nodes,
    fieldSelector: `metadata.name=${name}`,
  });
  watched.onChange((change) => {
    if (change.type === "removed") gone = change.previous.metadata.uid;
    else if (change.type === "added" || !isReady(change.previous) || isReady(change.object)) return;
    statusDue = 0;
    ring();
  });
  signal.addEventListener("abort", () => watched.stop(), { once: true });

  const adopt = (): Promise<Node> =>
    client.patch<Node>(nodes, { name }, "merge", { metadata: { labels: nodeLabels(facts) } }, {}, signal);
  const register = async (): Promise<Node> => {
    const now = timestamp(clock.now());
    try {
      const made = nodeObject(facts, nodeStatus(facts, now, now));
      return { ...(await client.create<Node>(nodes, made, {}, signal)), status: {} };
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      return adopt();
    }
  };
  const tellStatus = async (known: Node): Promise<Node> => {
    const before = watched.get(name) ?? known;
    const now = timestamp(clock.now());
    const since = isReady(known) && isReady(before) ? (readyOf(before)?.lastTransitionTime ?? now) : now;
    const status = nodeStatus(facts, since, now);
    const told = await client.patch<Node>(nodes, { name }, "merge", { status }, { subresource: "status" }, signal);
    if (since === now) events.event(reference, "Normal", "NodeReady", `Node ${name} status is now: NodeReady`);
    return told;
  };

  events.event(reference, "Normal", "Starting", "Starting kubelet.");
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (node === undefined || node.metadata.uid === gone) {
        node = await register();
        statusDue = 0;
      }
      if (clock.now() >= statusDue) {
        statusDue = clock.now() + STATUS_INTERVAL;
        node = await tellStatus(node);
      }
      if (clock.now() >= leaseDue || leased !== node.metadata.uid) {
        await renewLease(client, node, clock.now(), leased === node.metadata.uid, signal);
        leased = node.metadata.uid;
        leaseDue = clock.now() + LEASE_INTERVAL * (1 + JITTER * random());
      }
      failures = 0;
      await wait(Math.min(statusDue, leaseDue) - clock.now());
    } catch (error) {
      if (signal.aborted) return;
      // Whatever was under way is done once more; a Node that is not there is made.
      statusDue = 0;
      if (isApiError(error, "NotFound")) node = undefined;
      failures += 1;
      log.warn({ node: name, error: (error as Error).message }, "registering the node failed; trying again");
      await pause(clock, backoff({ least: 50, most: 5000 }, failures, random), signal);
    }
  }
}
