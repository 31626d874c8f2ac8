import type { EndpointSlice, Service, ServiceCIDR } from "../api/generated/types.ts";
import { keyOf, type KubeObject, type Resource } from "../api/object.ts";
import { endpointSlices, serviceCIDRs, services } from "../api/resources.ts";
import { createCache } from "../client/cache.ts";
import type { Cache } from "../client/cached.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import { appliedLease, type AppliedLease } from "./applied-lease.ts";
import type { EngineFigure, ProxyEngine } from "./engine.ts";
import { TriggerTimes, type Programmed, type Triggers } from "./latency.ts";
import { startLoop, type AppliedRound, type Timing } from "./loop.ts";
import type { NodePlan } from "./plan/plan.ts";
import type { PlanContext } from "./plan/service.ts";
import { Tracker, type TrackerContext } from "./plan/tracker.ts";

export interface ProxyOptions<P, F, A> {
  readonly client: Client;
  readonly engine: ProxyEngine<P, F, A>;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** The engine was asked already, and can run here. */
  readonly isSupported?: boolean;
  /** The node as configured; the ranges of ServiceCIDR objects are added to its own. */
  readonly node: NodePlan;
  /** The node's `topology.kubernetes.io/zone`. */
  readonly zone?: string | undefined;
  /** Called for each change that carried its trigger time, once the kernel has it. */
  readonly onApplied?: (programmed: Programmed) => void;
  /** Called when somebody else was found to have changed our rules. */
  readonly onDisturbed?: () => void;
  /** Called for each change that came from the API server. */
  readonly onQueued?: (what: "service" | "endpoints") => void;
  /** Called when a round of writing is in the kernel, and when one failed. */
  readonly onRound?: (round: { readonly milliseconds: number; readonly full: boolean }) => void;
  readonly onFailed?: (round: { readonly full: boolean }) => void;
  readonly timing?: Timing;
  readonly aftermaths?: readonly Aftermath[];
  /** Whether an endpoint gets no new connections for now; who changes its mind calls `replan`. */
  readonly isPenalized?: PlanContext["isPenalized"];
  /** Shared with others who have rules in the same kernel; one of its own unless given. */
  readonly lease?: AppliedLease;
}

/** Somebody who acts on what is in the kernel: connections to clean up, health to answer, events to tell. Ends with the proxy. */
export interface Aftermath {
  /** Never throws and never waits. */
  applied(round: AppliedRound): void;
  stop(): Promise<void>;
}

export interface Proxy extends Part {
  /** Resolves when the first rules are in the kernel; never rejects. */
  readonly ready: Promise<void>;
  /** The node's addresses, ranges or zone are others now. */
  setNode(node: NodePlan, zone?: string): void;
  /** A Service of ours, by `namespace/name`. */
  service(key: string): Service | undefined;
  /** What the engine counts. */
  figures(): readonly EngineFigure[];
  /** Plans these Services (`namespace/name`) again: what they depend on beside their objects has changed. */
  replan(services: Iterable<string>): void;
  /** Its rules, which `stop` leaves, have been taken away. */
  gone(): void;
}

/** PRX-001: labelling a Service with another proxy's name is, for us, deleting it. */
const SERVICES_OF_OURS = {
  labelSelector: "!service.kubernetes.io/service-proxy-name",
  fieldSelector: "spec.clusterIP!=None",
};
/** PRX-002. */
const SLICES_OF_OURS = { labelSelector: "!service.kubernetes.io/headless" };

/**
 * Carries Service traffic on this node: watches Services and EndpointSlices and keeps the engine's rules as they say.
 * Throws when the engine cannot run here. `stop` leaves the rules in place (PRX-266).
 */
export async function startProxy<P, F, A>(options: ProxyOptions<P, F, A>): Promise<Proxy> {
  const { client, engine, clock, random, log, aftermaths = [] } = options;
  const support = options.isSupported === true ? { supported: true as const } : await engine.supported();
  if (!support.supported) throw new Error(`starting the proxy with ${engine.name}: ${support.missing}`);

  const cache = <T extends KubeObject>(resource: Resource, selectors: object = {}): Cache<T> =>
    createCache<T>({ client, resource, clock, random, log, ...selectors });
  let zone = options.zone;
  const now = (): number => clock.now();
  const context = (plan: NodePlan): TrackerContext => ({
    nodeName: plan.nodeName,
    zone,
    families: plan.families,
    now,
    ...(options.isPenalized === undefined ? {} : { isPenalized: options.isPenalized }),
  });
  const tracker = new Tracker(context(options.node));
  const times = new TriggerTimes(clock.now());
  let base = options.node;
  let node = options.node;
  let taken: readonly Triggers[] = [];
  let synced = false;
  let cancelStep = (): void => {};

  const lease = options.lease ?? appliedLease({ client, clock, log, nodeName: options.node.nodeName });
  const voice = lease.join();

  const loop = startLoop({
    engine,
    clock,
    random,
    log,
    collect: () => {
      taken = times.take();
      voice.collected(sliceCache.resourceVersion);
      const plans = tracker.replan();
      cancelStep();
      // New endpoints that start slowly come to more of their share.
      if (tracker.dueAt !== undefined) cancelStep = clock.after(tracker.dueAt - clock.now(), wake);
      return { plans, node };
    },
    applied: (round) => {
      const appliedAt = clock.now();
      for (const { service, family, times: triggers } of taken) {
        for (const triggerTime of triggers) options.onApplied?.({ service, family, triggerTime, appliedAt });
      }
      taken = [];
      voice.applied();
      for (const one of aftermaths) one.applied(round);
    },
    disturbed: () => options.onDisturbed?.(),
    failed: (round) => {
      times.putBack(taken);
      taken = [];
      options.onFailed?.(round);
    },
    measured: (round) => options.onRound?.(round),
    ...(options.timing === undefined ? {} : { timing: options.timing }),
  });
  const wake = (): void => {
    if (synced) loop.wake();
  };

  const serviceCache = cache<Service>(services, SERVICES_OF_OURS);
  const sliceCache = cache<EndpointSlice>(endpointSlices, SLICES_OF_OURS);
  const rangeCache = cache<ServiceCIDR>(serviceCIDRs);
  serviceCache.onChange((change) => {
    if (change.type === "removed") tracker.setService(keyOf(change.previous), undefined);
    else tracker.setService(keyOf(change.object), change.object);
    options.onQueued?.("service");
    wake();
  });
  sliceCache.onChange((change) => {
    voice.changed(
      change.type === "added" ? undefined : change.previous,
      change.type === "removed" ? undefined : change.object,
    );
    if (change.type === "removed") tracker.setSlice(keyOf(change.previous), undefined);
    else {
      tracker.setSlice(keyOf(change.object), change.object);
      times.changed(change.object, change.type === "changed" ? change.previous : undefined);
    }
    options.onQueued?.("endpoints");
    wake();
  });
  const withRanges = (): void => {
    const ranges = [...rangeCache.values()].flatMap((one) => one.spec?.cidrs ?? []);
    node = { ...base, serviceRanges: [...new Set([...base.serviceRanges, ...ranges])].toSorted() };
    wake();
  };
  rangeCache.onChange(withRanges);
  // PRX-015: a list that is not in yet must not look like Services without endpoints.
  void Promise.all([serviceCache.synced(), sliceCache.synced()]).then(() => {
    synced = true;
    loop.wake();
  });

  return {
    ready: loop.ready,
    service: (key) => serviceCache.get(key),
    figures: () => loop.figures(),
    setNode(next, nextZone) {
      base = next;
      zone = nextZone;
      tracker.setContext(context(next));
      withRanges();
    },
    replan(services) {
      tracker.touch(services);
      wake();
    },
    gone: () => voice.leave(),
    async stop() {
      cancelStep();
      for (const one of [serviceCache, sliceCache, rangeCache]) one.stop();
      await loop.stop();
      if (options.lease === undefined) await lease.stop();
      for (const one of aftermaths) await one.stop();
    },
  };
}
