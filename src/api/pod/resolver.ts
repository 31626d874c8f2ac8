import type { Pod } from "../generated/types.ts";

/** A resolver's configuration, resolv.conf(5). */
export interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What a pod's resolver is made of beside the pod: what its node was told. */
export interface ResolverGround {
  /** The host's; undefined: the node was told to use no file of the host's (DNS-112). */
  readonly host: Resolver | undefined;
  readonly clusterDNS: readonly string[];
  /** `""`: the cluster has no domain, so it gives pods no search list (DNS-111). */
  readonly clusterDomain: string;
  readonly nodeAddresses: readonly string[];
}

export interface PodResolver {
  /** What the pod gets. */
  readonly applied: Resolver;
  /** What it would get without limits. */
  readonly wanted: Resolver;
  /** It is to ask cluster DNS, and the node knows no address of it (DNS-110). */
  readonly lacksCluster: boolean;
}

const NAMESERVERS = 3;
export const SEARCHES = 32;
export const SEARCH_CHARACTERS = 2048;
export const DOMAIN_CHARACTERS = 253;

const distinct = (values: readonly string[]): string[] => [...new Set(values)];
const nameOf = (option: string): string => option.split(":")[0]!;

/** By name: a later option replaces an earlier one of its name. */
export const mergedOptions = (options: readonly string[]): string[] => [
  ...new Map(options.map((option) => [nameOf(option), option])).values(),
];

/** The domains that cluster DNS puts first into the search list of a namespace's pods (DNS-103). */
export const clusterSearches = (namespace: string, clusterDomain: string): string[] =>
  clusterDomain === "" ? [] : [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];

function fromHost({ host, nodeAddresses }: ResolverGround): Resolver {
  if (host !== undefined) return host;
  const families = new Set(nodeAddresses.map((address) => address.includes(":")));
  const nameservers = [
    ...(families.has(false) || families.size === 0 ? ["127.0.0.1"] : []),
    ...(families.has(true) ? ["::1"] : []),
  ];
  return { nameservers, searches: ["."], options: [] };
}

/** Whether the pod is to ask cluster DNS: one on the node's network only when it says so by name (DNS-104, DNS-105). */
function wantsCluster(pod: Pod): boolean {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  return policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && pod.spec?.hostNetwork !== true);
}

/** The pod's resolver by its `dnsPolicy` alone (DNS-103 … DNS-107, DNS-111). */
function byPolicy(pod: Pod, ground: ResolverGround): Resolver {
  if (pod.spec?.dnsPolicy === "None") return { nameservers: [], searches: [], options: [] };
  const host = fromHost(ground);
  if (!wantsCluster(pod) || ground.clusterDNS.length === 0) return host;
  const cluster = clusterSearches(pod.metadata.namespace ?? "", ground.clusterDomain);
  return { nameservers: ground.clusterDNS, searches: distinct([...cluster, ...host.searches]), options: ["ndots:5"] };
}

/** Adds `spec.dnsConfig` (DNS-108, DNS-109). */
function withConfig(resolver: Resolver, pod: Pod): Resolver {
  const config = pod.spec?.dnsConfig;
  if (config === undefined) return resolver;
  const options = new Map(resolver.options.map((option) => [nameOf(option), option]));
  for (const { name, value } of config.options ?? []) {
    if (name) options.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  }
  return {
    nameservers: distinct([...resolver.nameservers, ...(config.nameservers ?? [])]),
    searches: distinct([...resolver.searches, ...(config.searches ?? [])]),
    options: [...options.values()],
  };
}

/** As many domains as a resolver takes, from the first on: 32, without those that are too long, 2048 signs together. */
function withinLimits(wanted: readonly string[]): string[] {
  const domains = wanted.slice(0, SEARCHES).filter((domain) => domain.length <= DOMAIN_CHARACTERS);
  while (domains.join(" ").length > SEARCH_CHARACTERS) domains.pop();
  return domains;
}

/** How a pod's programs find names, by the pod and its node (DNS-103 … DNS-114). */
export function podResolver(pod: Pod, ground: ResolverGround): PodResolver {
  const wanted = withConfig(byPolicy(pod, ground), pod);
  return {
    wanted,
    applied: {
      nameservers: wanted.nameservers.slice(0, NAMESERVERS),
      searches: withinLimits(wanted.searches),
      options: wanted.options,
    },
    lacksCluster: ground.clusterDNS.length === 0 && wantsCluster(pod),
  };
}
