import type { EndpointSlice, Lease } from "../api/generated/types.ts";
import { keyOf } from "../api/object.ts";
import { leases } from "../api/resources.ts";
import { isApiError } from "../api/status.ts";
import type { Client } from "../client/client.ts";
import { microTimestamp, type Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import { endingEndpoints } from "./ending-endpoints.ts";

/** Where nodes have their Leases. */
const NAMESPACE = "kube-node-lease";
/** All changes of EndpointSlices up to this resourceVersion are in the kernel of the Lease's holder. */
const APPLIED = "fairlead.dev/applied-endpointslices";
/** Uids of this node's ending pods, by comma, to which no rule in the kernel leads new connections. */
const ENDING = "fairlead.dev/ending-endpoints";
/** More are not told, so that the annotations stay within what an object may have; who waits for them goes on in a second. */
const MOST = 4_000;

/**
 * Tells how far this node's rules have come, in the Lease `proxy-<node>`: who ends a pod waits until no rule leads to it any more.
 * Only told when a pod of this node is newly ending, since only then somebody waits.
 */
export interface AppliedLease {
  /** A slice is so now; undefined: it is gone. */
  changed(previous: EndpointSlice | undefined, next: EndpointSlice | undefined): void;
  /** A round of writing begins, with all that changed up to this version. */
  collected(resourceVersion: string): void;
  /** What was collected last is in the kernel. */
  applied(): void;
  stop(): Promise<void>;
}

interface Round {
  readonly version: string;
  readonly uids: readonly string[];
}

export function appliedLease(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
}): AppliedLease {
  const { client, clock, log, nodeName } = options;
  const at = { namespace: NAMESPACE, name: `proxy-${nodeName}` };
  const stopping = new AbortController();
  const ending = endingEndpoints(nodeName);
  let round: Round = { version: "", uids: [] };
  /** Undefined until the first round has been told, whatever it brought: who ends a pod then knows that somebody tells. */
  let told: ReadonlySet<string> | undefined;
  let wanted: Round | undefined;
  let writing: Promise<void> | undefined;
  let refused = false;

  const write = async ({ version, uids }: Round): Promise<void> => {
    const annotations = { [APPLIED]: version, [ENDING]: uids.slice(0, MOST).join(",") };
    const metadata = { ...at, annotations };
    const spec = { holderIdentity: nodeName, renewTime: microTimestamp(clock.now()) };
    try {
      await client.patch<Lease>(leases, at, "merge", { metadata, spec }, undefined, stopping.signal);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
      const lease: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
      await client.create(leases, lease, undefined, stopping.signal);
    }
  };
  const send = async (): Promise<void> => {
    while (wanted !== undefined && !stopping.signal.aborted) {
      const next = wanted;
      wanted = undefined;
      try {
        await write(next);
        told = new Set(next.uids);
      } catch (error) {
        if (stopping.signal.aborted) return;
        // In a cluster that gives a proxy no more than kube-proxy's rights nobody waits for us.
        refused = isApiError(error, "Forbidden");
        log.info({ error: (error as Error).message }, "how far the rules have come was not told");
      }
    }
  };

  return {
    changed(previous, next) {
      const slice = next ?? previous;
      if (slice !== undefined) ending.set(keyOf(slice), next);
    },
    collected(version) {
      round = { version, uids: [...ending.uids] };
    },
    applied() {
      const isNews = told === undefined || round.uids.some((uid) => told?.has(uid) !== true);
      if (!isNews || refused || round.version === "") return;
      wanted = round;
      writing ??= send().finally(() => {
        writing = undefined;
      });
    },
    async stop() {
      stopping.abort();
      await writing;
    },
  };
}
