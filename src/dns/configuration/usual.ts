import type { CacheOptions, ForwardOptions, KubernetesOptions, ServerBlock, UpstreamOptions } from "./configuration.ts";

/** What holds for each kind of setting where nothing else is said; as in CoreDNS, unless a comment says why not. */

export const usualKubernetes = (zone: string): KubernetesOptions => ({
  zones: [zone, "in-addr.arpa", "ip6.arpa"],
  ttl: 5,
  // As the usual Corefile of a cluster sets it: pods' names are in the Kubernetes documentation (DNS-084).
  pods: "insecure",
  endpointPodNames: false,
  noEndpoints: false,
  ignoreEmptyServices: false,
  zonal: false,
  fallthrough: ["in-addr.arpa", "ip6.arpa"],
  startupTimeout: 5_000,
});

export const usualForward = (to: readonly UpstreamOptions[], from = ""): ForwardOptions => ({
  from,
  to,
  except: [],
  policy: "random",
  forceTcp: false,
  preferUdp: false,
  maxFails: 2,
  healthCheck: { interval: 500, domain: "", recursion: true },
  expire: 10_000,
  maxConcurrent: 0,
  failover: [],
  failFast: false,
});

export const usualCache: CacheOptions = {
  success: { capacity: 9984, ttl: 3600, minTtl: 5 },
  denial: { capacity: 9984, ttl: 1800, minTtl: 5 },
  servfail: 5,
  disable: { success: [], denial: [] },
  keepTtl: false,
};

/** A block for every name, on port 53. */
export const usualBlock: ServerBlock = {
  zones: [""],
  port: 53,
  forward: [],
  log: [],
  errors: false,
  loadbalance: false,
  loop: false,
};
