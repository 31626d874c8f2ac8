import type { TestContext } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { keyOf } from "../../src/api/object.ts";
import { pods as podResource } from "../../src/api/resources.ts";
import { isApiError } from "../../src/api/status.ts";
import { createCache } from "../../src/client/cache.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";

export interface PlayOptions {
  /** Also pods that nobody has bound to a node; where there is no scheduler. */
  readonly unbound?: boolean;
}

export interface PlayedNode {
  /** The pods as this node knows them. */
  pods(): Pod[];
  /** From now on, which pods turn ready. Those that wait are looked at again. */
  turnReady(which: (pod: Pod) => boolean): void;
  /** From now on, whether pods that are to end do so. */
  letEnd(end: boolean): void;
  /** Calls after every change that this node saw. */
  onChange(listener: () => void): void;
}

/** Does what nodes do: pods that were bound run and turn ready, and pods whose end was asked for end. */
export async function playNode(
  t: Pick<TestContext, "after">,
  client: Client,
  { unbound = false }: PlayOptions = {},
): Promise<PlayedNode> {
  const cache = createCache<Pod>({
    client,
    resource: podResource,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  let stopped = false;
  t.after(() => {
    stopped = true;
    cache.stop();
  });
  await cache.synced();
  let which: (pod: Pod) => boolean = () => true;
  let end = true;
  const busy = new Set<string>();

  const run = async (pod: Pod): Promise<void> => {
    const at = { namespace: pod.metadata.namespace, name: pod.metadata.name ?? "" };
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (end) await client.delete(podResource, at, { gracePeriodSeconds: 0 });
      return;
    }
    const ready = pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    if (ready || (pod.spec?.nodeName === undefined && !unbound) || !which(pod)) return;
    const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, "");
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
    const status = { phase: "Running", podIP: "10.1.0.1", podIPs: [{ ip: "10.1.0.1" }], conditions };
    await client.patch(podResource, at, "strategic", { status }, { subresource: "status" });
  };
  const look = (pod: Pod): void => {
    const key = keyOf(pod);
    if (stopped || busy.has(key)) return;
    busy.add(key);
    run(pod)
      .catch((error: unknown) => {
        if (!isApiError(error, "NotFound", "Conflict")) setTimeout(() => look(cache.get(key) ?? pod), 20);
      })
      .finally(() => {
        busy.delete(key);
        const now = cache.get(key);
        if (now !== undefined && now !== pod) look(now);
      });
  };
  const lookAtAll = (): void => {
    for (const pod of cache.values()) look(pod);
  };
  cache.onChange((change) => {
    if (change.type !== "removed") look(change.object);
  });
  lookAtAll();
  return {
    pods: () => [...cache.values()],
    turnReady(next) {
      which = next;
      lookAtAll();
    },
    letEnd(next) {
      end = next;
      lookAtAll();
    },
    onChange: (listener) => void cache.onChange(listener),
  };
}
