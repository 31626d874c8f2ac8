import type { Pod } from "../../api/generated/types.ts";

/** A resolver's configuration, resolv.conf(5). */
export interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** By name: a later option replaces an earlier one of its name. */
const merged = (options: readonly string[]): string[] => [
  ...new Map(options.map((option) => [nameOf(option), option])).values(),
];

/** Reads the host's file (DNS-113): the last `search` counts, final dots go, a lone one is dropped. */
export function parseResolvConf(text: string): Resolver {
  const nameservers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && values[0] !== undefined) nameservers.push(values[0]);
    if (word === "search") searches = values.map((value) => value.replace(/\.$/, "")).filter(Boolean);
    if (word === "options") options = merged([...options, ...values]);
  }
  return { nameservers, searches, options };
}

export interface ResolvConfOptions {
  readonly pod: Pod;
  /** Undefined: the node was told to use no file of the host's (DNS-112). */
  readonly host: Resolver | undefined;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  readonly nodeAddresses: readonly string[];
}

export interface ResolvConf {
  readonly text: string;
  /** Events for the pod, and for the node too where it is the node that lacks something. */
  readonly warnings: readonly ResolverWarning[];
}

export interface ResolverWarning {
  readonly reason: string;
  readonly message: string;
  readonly about: "pod" | "pod and node";
}

const NAMESERVERS = 3;
export const SEARCHES = 32;
export const SEARCH_CHARACTERS = 2048;
export const DOMAIN_CHARACTERS = 253;

const distinct = (values: readonly string[]): string[] => [...new Set(values)];
const nameOf = (option: string): string => option.split(":")[0]!;

function fromHost(options: ResolvConfOptions): Resolver {
  if (options.host !== undefined) return options.host;
  const families = new Set(options.nodeAddresses.map((address) => address.includes(":")));
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
function byPolicy(options: ResolvConfOptions): Resolver {
  const { pod, clusterDNS, clusterDomain } = options;
  if (pod.spec?.dnsPolicy === "None") return { nameservers: [], searches: [], options: [] };
  const host = fromHost(options);
  if (!wantsCluster(pod) || clusterDNS.length === 0) return host;
  const cluster =
    clusterDomain === ""
      ? []
      : [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return { nameservers: clusterDNS, searches: distinct([...cluster, ...host.searches]), options: ["ndots:5"] };
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

const searchLine = (domains: readonly string[]): string => domains.join(" ");

/** As many domains as a resolver takes, from the first on: 32, without those that are too long, 2048 signs together. */
function withinLimits(wanted: readonly string[]): string[] {
  const domains = wanted.slice(0, SEARCHES).filter((domain) => domain.length <= DOMAIN_CHARACTERS);
  while (searchLine(domains).length > SEARCH_CHARACTERS) domains.pop();
  return domains;
}

/** The pod's /etc/resolv.conf (DNS-103 … DNS-123). */
export function resolvConf(options: ResolvConfOptions): ResolvConf {
  const { pod } = options;
  const wanted = withConfig(byPolicy(options), pod);
  const warnings: ResolverWarning[] = [];
  if (options.clusterDNS.length === 0 && wantsCluster(pod)) {
    const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
    warnings.push({
      reason: "MissingClusterDNS",
      message: `the node has no cluster DNS address: policy ${policy} cannot be kept, the host's resolver is used`,
      about: "pod and node",
    });
  }
  const nameservers = wanted.nameservers.slice(0, NAMESERVERS);
  const searches = withinLimits(wanted.searches);
  const formed = (message: string): void => void warnings.push({ reason: "DNSConfigForming", message, about: "pod" });
  if (nameservers.length < wanted.nameservers.length) {
    formed(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${nameservers.join(" ")}`,
    );
  }
  if (searches.length < wanted.searches.length) {
    formed(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searchLine(searches)}`,
    );
  }
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searchLine(searches)}`]),
    ...nameservers.map((nameserver) => `nameserver ${nameserver}`),
    ...(wanted.options.length === 0 ? [] : [`options ${wanted.options.join(" ")}`]),
  ];
  return { text: lines.map((line) => `${line}\n`).join(""), warnings };
}
