import type { Pod } from "../../api/generated/types.ts";

/** A resolver's configuration, resolv.conf(5). */
export interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

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
    if (word === "options") options = values;
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
  /** Events for the pod: reason and message. */
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
}

const NAMESERVERS = 3;
const SEARCHES = 32;
const SEARCH_CHARACTERS = 2048;
const DOMAIN_CHARACTERS = 253;

const distinct = (values: readonly string[]): string[] => [...new Set(values)];
const nameOf = (option: string): string => option.split(":")[0]!;

function fromHost(options: ResolvConfOptions): Resolver {
  if (options.host !== undefined) return options.host;
  const families = new Set(options.nodeAddresses.map((address) => address.includes(":")));
  const nameservers = [...(families.has(false) ? ["127.0.0.1"] : []), ...(families.has(true) ? ["::1"] : [])];
  return { nameservers, searches: ["."], options: [] };
}

/** The pod's resolver by its `dnsPolicy` alone (DNS-103 … DNS-107, DNS-111). */
function byPolicy(options: ResolvConfOptions): Resolver {
  const { pod, clusterDNS, clusterDomain } = options;
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { nameservers: [], searches: [], options: [] };
  const host = fromHost(options);
  const onHostNetwork = policy === "ClusterFirst" && pod.spec?.hostNetwork === true;
  if (policy === "Default" || onHostNetwork || clusterDNS.length === 0) return host;
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

/** The pod's /etc/resolv.conf (DNS-103 … DNS-123). */
export function resolvConf(options: ResolvConfOptions): ResolvConf {
  const { pod } = options;
  const wanted = withConfig(byPolicy(options), pod);
  const warnings: { reason: string; message: string }[] = [];
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (options.clusterDNS.length === 0 && policy.startsWith("ClusterFirst") && pod.spec?.hostNetwork !== true) {
    warnings.push({
      reason: "MissingClusterDNS",
      message: `the node has no cluster DNS address: policy ${policy} cannot be kept, the host's resolver is used`,
    });
  }
  const nameservers = wanted.nameservers.slice(0, NAMESERVERS);
  const searches: string[] = [];
  let length = 0;
  for (const search of wanted.searches.filter((domain) => domain.length <= DOMAIN_CHARACTERS)) {
    length += search.length + (searches.length === 0 ? 0 : 1);
    if (searches.length === SEARCHES || length > SEARCH_CHARACTERS) break;
    searches.push(search);
  }
  if (nameservers.length < wanted.nameservers.length) {
    warnings.push({
      reason: "DNSConfigForming",
      message: `more than ${NAMESERVERS} nameservers, some are left out; applied: ${nameservers.join(" ")}`,
    });
  }
  if (searches.length < wanted.searches.length) {
    warnings.push({
      reason: "DNSConfigForming",
      message: `search line limits were exceeded, some paths are left out; applied: ${searches.join(" ")}`,
    });
  }
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
    ...nameservers.map((nameserver) => `nameserver ${nameserver}`),
    ...(wanted.options.length === 0 ? [] : [`options ${wanted.options.join(" ")}`]),
  ];
  return { text: lines.map((line) => `${line}\n`).join(""), warnings };
}
