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
 * Only told when a pod of this node is newly ending, since only then somebody waits. While one mode takes over from another both have
 * rules in the kernel, so only what all of them leave out is told.
 */
export interface AppliedLease {
  /** A proxy is about to write rules. */
  join(): LeaseVoice;
  stop(): Promise<void>;
}

/** What one proxy has to say. Until its first rules are in the kernel it is not known what they will be, so nothing is told. */
export interface LeaseVoice {
  /** A slice is so now; undefined: it is gone. */
  changed(previous: EndpointSlice | undefined, next: EndpointSlice | undefined): void;
  /** A round of writing begins, with all that changed up to this version. */
  collected(resourceVersion: string): void;
  /** What was collected last is in the kernel. */
  applied(): void;
  /** Its rules are gone. Before that its last word counts, even if it has stopped: rules stay. */
  leave(): void;
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
  /** Who has rules, and what of them is in the kernel; undefined: not known yet. */
  const voices = new Map<LeaseVoice, Round | undefined>();
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

  const tell = (): void => {
    const round = common([...voices.values()]);
    if (round === undefined || refused || round.version === "" || stopping.signal.aborted) return;
    const isNews = told === undefined || round.uids.some((uid) => told?.has(uid) !== true);
    if (!isNews) return;
    wanted = round;
    writing ??= send().finally(() => {
      writing = undefined;
    });
  };

  return {
    join() {
      const ending = endingEndpoints(nodeName);
      let round: Round = { version: "", uids: [] };
      const voice: LeaseVoice = {
        changed(previous, next) {
          const slice = next ?? previous;
          if (slice !== undefined) ending.set(keyOf(slice), next);
        },
        collected(version) {
          round = { version, uids: [...ending.uids] };
        },
        applied() {
          voices.set(voice, round);
          tell();
        },
        leave() {
          voices.delete(voice);
          tell();
        },
      };
      voices.set(voice, undefined);
      return voice;
    },
    async stop() {
      stopping.abort();
      await writing;
    },
  };
}

/** What is true of the rules of all; undefined: not known of one of them, or there is nobody. */
function common(rounds: readonly (Round | undefined)[]): Round | undefined {
  return rounds.reduce((one, other) => {
    if (one === undefined || other === undefined) return undefined;
    const uids = new Set(other.uids);
    return { version: earlier(one.version, other.version), uids: one.uids.filter((uid) => uids.has(uid)) };
  }, rounds[0]);
}

/** The earlier of two resourceVersions, which are numbers without a limit. */
const earlier = (one: string, other: string): string =>
  one.length < other.length || (one.length === other.length && one < other) ? one : other;
