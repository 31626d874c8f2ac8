import type { EndpointSlice, Lease } from "../api/generated/types.ts";
import { leases } from "../api/resources.ts";
import { isApiError } from "../api/status.ts";
import type { Client } from "../client/client.ts";
import { microTimestamp, type Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";

/** Where nodes have their Leases. */
const NAMESPACE = "kube-node-lease";
/** All changes of EndpointSlices up to this resourceVersion are in the kernel of the Lease's holder. */
const APPLIED = "fairlead.dev/applied-endpointslices";

/**
 * Tells how far this node's rules have come, in the Lease `proxy-<node>`: who ends a pod waits until no rule leads to it any more.
 * Only told when an endpoint is ending or went, since only then somebody waits.
 */
export interface AppliedLease {
  /** A slice changed. */
  changed(next: EndpointSlice | undefined, previous: EndpointSlice | undefined): void;
  /** A round of writing begins, with all that changed up to this version. */
  collected(resourceVersion: string): void;
  /** What was collected last is in the kernel. */
  applied(): void;
  /** It is not, and will be collected again. */
  failed(): void;
  stop(): Promise<void>;
}

const isEnding = (slice: EndpointSlice | undefined): boolean =>
  slice?.endpoints?.some(({ conditions }) => conditions?.terminating === true) === true;

export function appliedLease(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
}): AppliedLease {
  const { client, clock, log, nodeName } = options;
  const at = { namespace: NAMESPACE, name: `proxy-${nodeName}` };
  const stopping = new AbortController();
  // The first round is told whatever it brings: who ends a pod then knows that there is a proxy which tells.
  let isAwaited = true;
  let round = { isAwaited: false, version: "" };
  let wanted: string | undefined;
  let writing: Promise<void> | undefined;
  let refused = false;

  const write = async (version: string): Promise<void> => {
    const metadata = { ...at, annotations: { [APPLIED]: version } };
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
      const version = wanted;
      wanted = undefined;
      try {
        await write(version);
      } catch (error) {
        if (stopping.signal.aborted) return;
        // In a cluster that gives a proxy no more than kube-proxy's rights nobody waits for us.
        refused = isApiError(error, "Forbidden");
        log.info({ error: (error as Error).message }, "how far the rules have come was not told");
      }
    }
  };

  return {
    changed(next, previous) {
      if (isEnding(next) || isEnding(previous) || next === undefined) isAwaited = true;
    },
    collected(version) {
      round = { isAwaited, version };
      isAwaited = false;
    },
    failed() {
      isAwaited ||= round.isAwaited;
    },
    applied() {
      if (!round.isAwaited || refused || round.version === "") return;
      wanted = round.version;
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
