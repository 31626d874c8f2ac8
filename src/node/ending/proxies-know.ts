import type { Lease, Pod, Service } from "../../api/generated/types.ts";
import { leases } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { selectsPod } from "./selects-pod.ts";

/** Waits until the proxy of this node leads no new connections to a pod that is ending. */
export interface ProxiesKnow {
  /** Resolves when it knows, when there is nothing to know, or after {@link PATIENCE}. Never rejects. */
  (pod: Pod, signal: AbortSignal): Promise<void>;
  /** Resolves when the proxy's word has been read, if there is one. */
  synced(): Promise<void>;
  stop(): void;
}

/** How long a pod's end is held back at most, in milliseconds. It is part of the grace period. */
export const PATIENCE = 1_000;

const NAMESPACE = "kube-node-lease";
/** Uids, by comma. */
const ENDING = "fairlead.dev/ending-endpoints";

export interface ProxiesKnowOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly nodeName: string;
  readonly services: () => Iterable<Service>;
}

/**
 * A pod that is deleted is still called until the kernel's rules leave it out. kubelet and kube-proxy know nothing of each other, so
 * people put `sleep 10` into preStop (CTL-118). Here the proxy tells in its Lease which ending pods its rules leave out, and SIGTERM waits
 * for that. Where no proxy tells it, as in a foreign cluster, nothing waits.
 */
export function proxiesKnow(options: ProxiesKnowOptions): ProxiesKnow {
  const { client, clock, random, log, nodeName } = options;
  const name = `proxy-${nodeName}`;
  const cache = createCache<Lease>({
    client,
    resource: leases,
    namespace: NAMESPACE,
    fieldSelector: `metadata.name=${name}`,
    clock,
    random,
    log,
  });
  const told = (): string | undefined => cache.get(`${NAMESPACE}/${name}`)?.metadata.annotations?.[ENDING];

  const know = async (pod: Pod, signal: AbortSignal): Promise<void> => {
    const { namespace, name: podName, uid = "" } = pod.metadata;
    const knows = (): boolean => told()?.split(",").includes(uid) === true;
    if (told() === undefined || knows() || signal.aborted) return;
    if (![...options.services()].some((service) => selectsPod(service, pod))) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stop();
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const stop = cache.onChange(() => {
        if (knows()) done();
      });
      const cancel = clock.after(PATIENCE, () => {
        log.info({ namespace, pod: podName }, "the proxy did not tell in time that it leads nobody to a pod that ends");
        done();
      });
      signal.addEventListener("abort", done);
    });
  };
  return Object.assign(know, { synced: () => cache.synced(), stop: () => cache.stop() });
}
