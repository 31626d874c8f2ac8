import { randomBytes } from "node:crypto";
import type { IngressLoadBalancerIngress } from "../api/generated/types.ts";
import { keyOf } from "../api/object.ts";
import { backoff } from "../client/backoff.ts";
import type { Client } from "../client/client.ts";
import { createEventRecorder } from "../client/events.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import { followCookieKeys } from "./affinity/key.ts";
import { tokensOf, type CookieKeys } from "./affinity/token.ts";
import { annotationsOf } from "./annotations/read.ts";
import { createComplaints } from "./complaints.ts";
import type { IngressEngine } from "./engine.ts";
import { keysOf, word, type Word } from "./plan/changes.ts";
import type { IngressPlan } from "./plan/plan.ts";
import { createPlanner, type Planned, type Planner, type PlannerOptions } from "./plan/planner.ts";
import { INGRESS_CLASS } from "./registration.ts";
import { entriesOf, entriesOfService } from "./status/addresses.ts";
import { createLeader } from "./status/leader.ts";
import { createStatusWriter } from "./status/status.ts";
import { watchCluster } from "./view/cluster.ts";

/** Where the controller is exposed: what `status.loadBalancer.ingress` of its Ingresses says (CTL-152). */
export type Exposure =
  | { readonly addresses: readonly string[] }
  /** A Service of type LoadBalancer, `namespace/name`, whose addresses are taken. */
  | { readonly service: string };

export interface IngressOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly engine: IngressEngine;
  /** `spec.controller` of the classes that are ours; `fairlead.dev/ingress`. */
  readonly controller: string;
  /** The name of our class, where there is none or it may not be read; `fairlead`. */
  readonly ingressClass?: string | undefined;
  /** Take Ingresses without a class, too (CTL-151). */
  readonly withoutClass: boolean;
  /** Only this namespace; undefined: all. */
  readonly namespace: string | undefined;
  readonly exposure: Exposure | undefined;
  /** `namespace/name` of the Service that answers where no rule matches; undefined: 404 of our own. */
  readonly defaultBackend: string | undefined;
  /** `namespace/name` of the certificate where none is given; undefined: one is made here. */
  readonly defaultCertificate: string | undefined;
  /** `namespace/name` of the Secret with the key of session cookies; `kube-system/fairlead-ingress-cookie`. Made where it is not there. */
  readonly cookieSecret: string;
  /** Of the replicas one writes status: the holder of Lease `kube-system/fairlead-ingress`. This one's name in it. */
  readonly identity: string;
  /** How plans are worked out; `createPlanner` unless given. */
  readonly planner?: (options: PlannerOptions) => Planner;
  /** A plan is carried: seconds since the first change in it was seen. */
  readonly onApplied?: (seconds: number, plan: IngressPlan) => void;
  /** A plan could not be worked out or carried, and is tried again. */
  readonly onFailed?: () => void;
}

export interface IngressController extends Part {
  /** Resolves when the first plan is carried. */
  readonly ready: Promise<void>;
  readonly isReady: boolean;
  /** Ingresses that are ours, and faults that were found in them. */
  readonly found: { readonly ingresses: number; readonly faults: number };
  /** Seconds since what is known of the cluster was last known to be current; undefined before it was listed. */
  age(): number | undefined;
  /** Ends; the engine is the caller's to stop. */
  stop(): Promise<void>;
}

/** Who tells events. */
const COMPONENT = "fairlead-ingress";
const LEASE = { namespace: "kube-system", name: "fairlead-ingress" };
/** Milliseconds that the first plan waits for the key of session cookies when all else is there. */
const KEY_WITHIN = 3_000;
/** Waits after a plan could not be carried, in milliseconds. */
const BOUNDS = { least: 50, most: 5_000 };

/**
 * Carries what the Ingresses of a cluster say, from the first moment that all of it is known. When the API server is away it goes on with
 * what it knows.
 */
export function startIngress(options: IngressOptions): IngressController {
  const { client, clock, random, log, engine, exposure } = options;
  const ready = Promise.withResolvers<void>();
  const recorder = createEventRecorder({ client, component: COMPONENT, clock, log });
  const complaints = createComplaints(recorder);

  /** What changed since the last plan, and when the first of it was seen. */
  let words = new Set<Word>();
  let isAll = true;
  let since = clock.now();
  let newPlanner: (() => Planner) | undefined;
  let planner: Planner | undefined;
  let planned: Planned | undefined;
  let applied: IngressPlan | undefined;
  let tokens = tokensOf([]);
  let failures = 0;
  let isScheduled = false;
  let isApplying = false;
  let isReady = false;
  let isStopped = false;
  let cancelRetry: (() => void) | undefined;

  const isPending = (): boolean => isAll || words.size > 0;
  const note = (): void => {
    if (!isPending()) since = clock.now();
  };
  const changed = (what: Word): void => {
    note();
    words.add(what);
    schedule();
  };

  const exposedAt = exposure !== undefined && "service" in exposure ? exposure.service : undefined;
  const entries = (): readonly IngressLoadBalancerIngress[] | undefined => {
    if (exposure === undefined) return undefined;
    if ("addresses" in exposure) return entriesOf(exposure.addresses);
    return entriesOfService(cluster.view.service(exposure.service));
  };

  const cluster = watchCluster({
    client,
    clock,
    random,
    log,
    ingressClass: options.ingressClass ?? INGRESS_CLASS,
    controller: options.controller,
    namespace: options.namespace,
    services: [options.defaultBackend, exposedAt],
    certificate: options.defaultCertificate,
    changed,
  });
  const takeKeys = (keys: CookieKeys): void => {
    note();
    tokens = tokensOf(keys);
    isAll = true;
    schedule();
  };
  const cookieKeys = followCookieKeys({
    client,
    clock,
    random,
    randomBytes,
    log,
    events: recorder,
    secret: options.cookieSecret,
    changed: takeKeys,
  });
  const leader = createLeader({
    client,
    clock,
    random,
    log,
    ...LEASE,
    identity: options.identity,
    changed(leads) {
      // Who led before may not have told all of it.
      complaints.forget();
      if (!leads || planned === undefined) return;
      complaints.tell(planned.faults, (key) => cluster.view.ingress(key));
      status.check([...cluster.view.ingresses()].map(keyOf));
    },
  });
  const status = createStatusWriter({
    client,
    clock,
    random,
    log,
    ingress: (key) => cluster.view.ingress(key),
    isOurs: (key) => planned?.ours.has(key) === true,
    entries,
    leads: () => leader.leads,
  });

  /** Says in the log and to whoever owns the Ingresses what came of a round. */
  const tell = (now: Planned, was: Planned | undefined, round: ReadonlySet<Word>, wasAll: boolean): void => {
    if (now.remarks !== was?.remarks) for (const remark of now.remarks) log.warn({}, remark);
    if (leader.leads) complaints.tell(now.faults, (key) => cluster.view.ingress(key));
    const isMoved = exposedAt !== undefined && round.has(word.service(exposedAt));
    const hasClasses = !keysOf(round, "class").next().done;
    status.check(wasAll || isMoved || hasClasses ? [...cluster.view.ingresses()].map(keyOf) : keysOf(round, "ingress"));
  };

  const plan = (by: Planner): Planned => {
    const round = words;
    const wasAll = isAll;
    words = new Set();
    isAll = false;
    const was = planned;
    try {
      planned = by.plan(cluster.view, wasAll ? "everything" : round);
    } catch (error) {
      // What it had worked out may be half of a change: the next round begins anew.
      planner = newPlanner?.();
      isAll = true;
      throw error;
    }
    tell(planned, was, round, wasAll);
    return planned;
  };

  /** Carries what is to be carried now; false where all of it is. */
  const carry = async (): Promise<boolean> => {
    if (isStopped || planner === undefined) return false;
    const began = since;
    const next = isPending() || planned === undefined ? plan(planner) : planned;
    if (next.plan === applied) return false;
    await engine.apply(next.plan);
    applied = next.plan;
    options.onApplied?.((clock.now() - began) / 1000, next.plan);
    isReady = true;
    ready.resolve();
    return true;
  };

  const round = async (): Promise<void> => {
    if (isApplying) return;
    isApplying = true;
    try {
      // What changes meanwhile is the next plan.
      while (await carry()) failures = 0;
    } catch (error) {
      failures += 1;
      options.onFailed?.();
      const wait = backoff(BOUNDS, failures, random);
      log.error({ err: error, failures, wait }, "carrying a plan failed; what was carried before stays; trying again");
      cancelRetry?.();
      cancelRetry = clock.after(wait, schedule);
    } finally {
      isApplying = false;
    }
  };

  /** Changes that come in one turn of the event loop are one plan. */
  function schedule(): void {
    if (isScheduled || isStopped) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      void round();
    });
  }

  void (async () => {
    // The certificate writer is loaded while lists are waited for.
    const { makeCertificate } = await import("./tls/self-made.ts");
    const [spareCertificate] = await Promise.all([makeCertificate(clock.now()), cluster.synced]);
    // Where the key may not be read, all that needs no session is served without it.
    const waited = Promise.withResolvers<void>();
    const cancel = clock.after(KEY_WITHIN, waited.resolve);
    await Promise.race([cookieKeys.ready, waited.promise]);
    cancel();
    takeKeys(cookieKeys.keys);
    newPlanner = () =>
      (options.planner ?? createPlanner)({
        controller: options.controller,
        withoutClass: options.withoutClass,
        ingressClass: options.ingressClass ?? INGRESS_CLASS,
        annotations: annotationsOf,
        tokensOf: (key) => tokens(key),
        defaultBackend: options.defaultBackend,
        defaultCertificate: options.defaultCertificate,
        spareCertificate,
        now: () => clock.now(),
        failed: (what, error) =>
          log.error({ what, err: error }, "planning failed for one object; what it was before stays"),
      });
    planner = newPlanner();
    schedule();
  })().catch((error: unknown) => {
    log.error({ err: error }, "starting Ingress failed");
    ready.reject(error instanceof Error ? error : new Error(String(error)));
  });
  // Nobody has to wait for it.
  ready.promise.catch(() => {});

  return {
    ready: ready.promise,
    get isReady() {
      return isReady;
    },
    age: () => cluster.age(),
    get found() {
      let faults = 0;
      for (const some of planned?.faults.values() ?? []) faults += some.length;
      return { ingresses: planned?.ours.size ?? 0, faults };
    },
    async stop() {
      isStopped = true;
      cancelRetry?.();
      await Promise.all([leader.stop(), status.stop(), cookieKeys.stop(), cluster.stop()]);
      await recorder.flush();
      recorder.stop();
    },
  };
}
