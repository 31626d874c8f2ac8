import type { Resource } from "../api/object.ts";
import { replicaSets, replicationControllers } from "../api/resources.ts";
import { backoff } from "../client/backoff.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import { createMetrics } from "../observe/metrics.ts";
import type { Part } from "../observe/part.ts";
import { startAggregation } from "./aggregation/start.ts";
import { startBinding } from "./binding/start.ts";
import { createCaches } from "./caches.ts";
import { startClaims } from "./claims/start.ts";
import { startDaemonSets } from "./daemonsets/start.ts";
import { startDeployments } from "./deployments/start.ts";
import { startDisruption } from "./disruption/start.ts";
import { startEndpoints } from "./endpoints/start.ts";
import { startEndpointSlices } from "./endpointslices/start.ts";
import type { EndpointOptions } from "./endpoint-options.ts";
import { endpointOptions } from "./endpoint-options.ts";
import type { EndpointEnvironment } from "./environment.ts";
import { startGarbage } from "./garbage/start.ts";
import type { LoadBalancerPool } from "./loadbalancers/pool.ts";
import { startLoadBalancers } from "./loadbalancers/start.ts";
import { startMirroring } from "./mirroring/start.ts";
import { startJobs } from "./jobs/start.ts";
import { startNamespaces } from "./namespaces/start.ts";
import { startNodeLifecycle } from "./nodelifecycle/start.ts";
import { startPodGarbage } from "./podgarbage/start.ts";
import { startQuota } from "./quota/start.ts";
import { startReplicas } from "./replicasets/start.ts";
import { startRootCa } from "./rootca/start.ts";
import type { SignToken } from "./tokensecrets/decide.ts";
import { startTokenSecrets } from "./tokensecrets/start.ts";
import { servedResources } from "./served.ts";
import { startServiceCIDRs } from "./servicecidrs/start.ts";
import { startStatefulSets } from "./statefulsets/start.ts";

export interface ControllersOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** The cluster's authority (PEM) and what signs tokens for Secrets; absent: both stay what they are. */
  readonly authority?: { readonly ca: string; readonly signToken: SignToken };
  /** Addresses for Services of type LoadBalancer. Without any they are left to others, as in a cluster without a cloud. */
  readonly loadBalancerPools?: readonly LoadBalancerPool[];
  /** Where the controllers count what they do; absent: nowhere that anybody reads. */
  readonly metrics?: Metrics;
  /** CTL-053: how EndpointSlices and Endpoints are made; kube-controller-manager's defaults for what is absent. */
  readonly endpoints?: Partial<EndpointOptions>;
  /** Ends a start that waits for a server which does not come. */
  readonly signal?: AbortSignal;
}

/** Discovery, tried until the server answers it. */
async function discover(options: ControllersOptions): Promise<Resource[]> {
  for (let failures = 1; ; failures += 1) {
    options.signal?.throwIfAborted();
    try {
      return await servedResources(options.client, options.signal);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      options.log.warn({ error: why, failures }, "the server's resources cannot be discovered; trying again");
      const wait = backoff({ least: 50, most: 2000 }, failures, options.random);
      await new Promise<void>((resolve) => {
        options.clock.after(wait, resolve);
      });
    }
  }
}

/**
 * Starts all controllers. Resolves when each has seen the present state and works.
 *
 * @throws RangeError for an option of `endpoints` beyond its bounds
 */
export async function startControllers(options: ControllersOptions): Promise<Part> {
  const endpoints = endpointOptions(options.endpoints);
  const caches = createCaches(options);
  const environment: EndpointEnvironment = {
    ...options,
    caches,
    endpoints,
    metrics: options.metrics ?? createMetrics(),
  };
  const { authority, loadBalancerPools = [] } = options;
  options.signal?.addEventListener("abort", () => caches.stop(), { once: true });
  const parts = await Promise.all([
    startEndpointSlices(environment),
    startBinding(environment),
    startEndpoints(environment),
    startMirroring(environment),
    ...(authority === undefined
      ? []
      : [startRootCa(environment, authority.ca), startTokenSecrets(environment, authority.ca, authority.signToken)]),
    startAggregation(environment),
    startReplicas(environment, {
      resource: replicaSets,
      cache: caches.replicaSets,
      component: "replicaset-controller",
    }),
    startReplicas(environment, {
      resource: replicationControllers,
      cache: caches.replicationControllers,
      component: "replication-controller",
    }),
    startDeployments(environment),
    startServiceCIDRs(environment),
    ...(loadBalancerPools.length === 0 ? [] : [startLoadBalancers(environment, loadBalancerPools)]),
    startStatefulSets(environment),
    startDaemonSets(environment),
    startJobs(environment),
    startClaims(environment),
    startDisruption(environment),
    startNodeLifecycle(environment),
    startPodGarbage(environment),
    discover(options).then((served) =>
      Promise.all([
        startGarbage(environment, served),
        startNamespaces(environment, served),
        startQuota(environment, served),
      ]),
    ),
  ]);
  return {
    async stop() {
      await Promise.all(parts.flat().map((part) => part.stop()));
      caches.stop();
    },
  };
}
