import type { Ingress, IngressLoadBalancerIngress } from "../../api/generated/types.ts";
import { ingresses } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Part } from "../../observe/part.ts";
import { sameEntries } from "./addresses.ts";
import { isOurStatus, MANAGER } from "./manager.ts";

export interface StatusOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly ingress: (key: string) => Ingress | undefined;
  readonly isOurs: (key: string) => boolean;
  /** Where we are exposed now; undefined: it is not known, and nothing is written. */
  readonly entries: () => readonly IngressLoadBalancerIngress[] | undefined;
  /** False: another replica writes. */
  readonly leads: () => boolean;
}

export interface StatusWriter extends Part {
  /** Brings the status of these Ingresses in line, soon. */
  check(keys: Iterable<string>): void;
}

/**
 * Writes where Ingresses that are ours are served into their status, and takes it away from those that are not any more (CTL-152). What
 * somebody else wrote into the status of an Ingress that is not ours is left alone.
 */
export function createStatusWriter(options: StatusOptions): StatusWriter {
  const { client, clock, random, log, ingress: find } = options;
  const queue = createWorkQueue({
    concurrency: 4,
    clock,
    random,
    log,
    async work(key, signal) {
      const ingress = find(key);
      const entries = options.entries();
      if (ingress === undefined || entries === undefined || !options.leads()) return;
      const isOurs = options.isOurs(key);
      if (!isOurs && !isOurStatus(ingress)) return;
      const wanted = isOurs ? entries : [];
      if (sameEntries(ingress.status?.loadBalancer?.ingress ?? [], wanted)) return;
      const { namespace, name = "", resourceVersion } = ingress.metadata;
      // With the version, so that what another wrote meanwhile is looked at first.
      const patch = {
        metadata: { resourceVersion },
        status: { loadBalancer: { ingress: wanted.length === 0 ? null : wanted } },
      };
      try {
        const manner = { subresource: "status", fieldManager: MANAGER } as const;
        await client.patch(ingresses, { namespace, name }, "merge", patch, manner, signal);
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
    },
  });
  return {
    check(keys) {
      for (const key of keys) queue.add(key);
    },
    stop: () => queue.stop(),
  };
}
