import type { Lease } from "../../api/generated/types.ts";
import { leases } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { microTimestamp, type Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Part } from "../../observe/part.ts";

export interface LeaderOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** What holds the Lease when we do; another for each replica. */
  readonly identity: string;
  /** It is known now that we lead, or do not. */
  readonly changed: (leads: boolean) => void;
}

export interface Leader extends Part {
  readonly leads: boolean;
  /** Gives the Lease back, so that another need not wait for its end. */
  stop(): Promise<void>;
}

/** Seconds for which a renewal counts; client-go's figures, as its users expect. */
const LEASE_SECONDS = 15;
/** Milliseconds without a renewal after which we do not trust to lead. */
const RENEW_WITHIN = 10_000;
/** Milliseconds between two tries. */
const EVERY = 2_000;

/**
 * One of several replicas leads: the holder of a Lease. It is taken when nobody holds it, or its holder has not renewed it for as long as it
 * says, measured by our own clock since we last saw it change, as the clocks of machines differ.
 */
export function createLeader(options: LeaderOptions): Leader {
  const { client, clock, random, namespace, name, identity } = options;
  const log = options.log.child({ lease: `${namespace}/${name}` });
  const at = { namespace, name };
  const stopping = new AbortController();
  let leads = false;
  let renewedAt = 0;
  let seen: { readonly version: string | undefined; readonly at: number } | undefined;
  let isForbidden = false;

  const set = (now: boolean): void => {
    if (leads === now) return;
    leads = now;
    log.info({ identity }, now ? "this replica writes status and events" : "another replica writes status and events");
    options.changed(now);
  };

  const specOf = (was: Lease["spec"], now: number): Lease["spec"] => ({
    holderIdentity: identity,
    leaseDurationSeconds: LEASE_SECONDS,
    acquireTime: was?.holderIdentity === identity ? was.acquireTime : microTimestamp(now),
    renewTime: microTimestamp(now),
    leaseTransitions: (was?.leaseTransitions ?? 0) + (was === undefined || was.holderIdentity === identity ? 0 : 1),
  });

  /** Whether we hold it now. */
  const hold = async (): Promise<boolean> => {
    const { signal } = stopping;
    let lease: Lease;
    try {
      lease = await client.get<Lease>(leases, at, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
      const made: Lease = {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: at,
        spec: specOf(undefined, clock.now()),
      };
      await client.create(leases, made, undefined, signal);
      return true;
    }
    const now = clock.now();
    const version = lease.metadata.resourceVersion;
    if (seen?.version !== version) seen = { version, at: now };
    const { holderIdentity = "", leaseDurationSeconds = LEASE_SECONDS } = lease.spec ?? {};
    const isFree = holderIdentity === "" || holderIdentity === identity;
    if (!isFree && now < seen!.at + leaseDurationSeconds * 1000) return false;
    await client.update(leases, { ...lease, spec: { ...lease.spec, ...specOf(lease.spec, now) } }, undefined, signal);
    return true;
  };

  const attempt = async (): Promise<void> => {
    const began = clock.now();
    try {
      const holds = await hold();
      if (holds) renewedAt = began;
      isForbidden = false;
      set(holds);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const facts = { error: error instanceof Error ? error.message : String(error) };
      if (isApiError(error, "Forbidden")) {
        if (!isForbidden) log.warn(facts, "the Lease may not be had; no status and no events are written");
        isForbidden = true;
      } else {
        // Of two that take it at once one is refused: that is how it should be.
        log.debug(facts, "the Lease was not had; trying again");
      }
      if (leads && clock.now() - renewedAt >= RENEW_WITHIN) set(false);
    }
  };

  let wake = (): void => {};
  const pause = async (milliseconds: number): Promise<void> => {
    const over = Promise.withResolvers<void>();
    const cancel = clock.after(milliseconds, over.resolve);
    wake = over.resolve;
    await over.promise;
    cancel();
  };
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await attempt();
      if (!stopping.signal.aborted) await pause(EVERY * (1 + 0.2 * random()));
    }
  })();

  return {
    get leads() {
      return leads;
    },
    async stop() {
      stopping.abort(new Error("this replica stops"));
      wake();
      await running;
      if (!leads) return;
      leads = false;
      try {
        const lease = await client.get<Lease>(leases, at, AbortSignal.timeout(RENEW_WITHIN));
        if (lease.spec?.holderIdentity !== identity) return;
        const spec = {
          ...lease.spec,
          holderIdentity: "",
          leaseDurationSeconds: 1,
          renewTime: microTimestamp(clock.now()),
        };
        await client.update(leases, { ...lease, spec }, undefined, AbortSignal.timeout(RENEW_WITHIN));
      } catch (error) {
        log.debug({ error: error instanceof Error ? error.message : String(error) }, "the Lease was not given back");
      }
    },
  };
}
