import { hostname } from "node:os";
import { resolve } from "node:path";
import { addressAt, cidrsOverlap, parseCidr, type Cidr } from "../net/cidr.ts";
import type { IPFamily } from "../net/ip.ts";
import { LOG_LEVELS, type LogLevel } from "../observe/log.ts";
import { dataDirectory } from "./data/layout.ts";
import { parseUpstream } from "../dns/forward/upstream.ts";
import type { SocketAddress } from "../dns/server/address.ts";
import type { EndpointOptions } from "../controllers/endpoint-options.ts";
import { ENDPOINT_FLAGS, endpointFlags } from "./endpoint-flags.ts";
import { UsageError } from "./failure.ts";
import { PROXY_ENGINES } from "./proxy-engines.ts";
import type { ProxyMode } from "../proxy/engine.ts";
import { oneOf, type Flags, type Given } from "./flags.ts";
import { LOAD_BALANCER_FLAGS, loadBalancerRanges, type LoadBalancerRanges } from "./load-balancer-config.ts";
import type { IngressEngineName } from "../ingress/engine.ts";
import { STORE_FLAGS, storeConfig, type StoreConfig } from "./store-config.ts";

/** Everything that follows from the flags of `up`; what the three processes are given. JSON, so that it can be handed on. */
export interface SystemConfig {
  readonly directory: string;
  readonly store: StoreConfig;
  readonly private: boolean;
  readonly publish: boolean;
  /** Not root: one user id, everything in a user namespace. */
  readonly rootless: boolean;
  readonly listen: { readonly host: string; readonly port: number };
  readonly serviceRanges: readonly string[];
  readonly podRanges: readonly string[];
  /** What differs from how EndpointSlices and Endpoints are usually made. */
  readonly endpoints: Partial<EndpointOptions>;
  readonly loadBalancerPools: readonly LoadBalancerRanges[];
  readonly nodePortRange: { readonly from: number; readonly to: number };
  /** The Service `default/kubernetes` answers on this node port too. */
  readonly kubernetesNodePort?: number;
  /** Pods may ask for the host's network, files and root. */
  readonly allowHostAccess: boolean;
  /** The resolv.conf that pods' own is made from; `""` for none. Absent: the host's. */
  readonly resolvConf?: string;
  /** Services may take any address with `externalIPs`. */
  readonly allowExternalIPs: boolean;
  readonly clusterDomain: string;
  /** Resolvers for names outside the cluster. Absent: the host's, and none for a private site. */
  readonly dnsUpstreams?: readonly SocketAddress[];
  /** A pod's search list is answered in one round trip where that is certain to change nothing. */
  readonly searchShortcut: boolean;
  /** The host's own resolver is told of cluster DNS. */
  readonly hostDns: boolean;
  readonly nodeName: string;
  /** The runtime of pods that name none. */
  readonly runtime: "process" | "simulated";
  readonly logLevel: LogLevel;
  readonly proxyMode: "auto" | ProxyMode;
  /** What carries HTTP of Ingresses, if anything does. */
  readonly ingress: "auto" | "off" | IngressEngineName;
  /** A file to which every request is added as a line. */
  readonly ingressAccessLog?: string;
}

export const SYSTEM_FLAGS = {
  data: {
    type: "string",
    value: "DIR",
    help: "state, kubeconfig and logs (root: /var/lib/fairlead, else ~/.local/share/fairlead)",
  },
  private: { type: "boolean", help: "everything in a network namespace of its own; always so without root" },
  publish: { type: "boolean", help: "with a private site: its node ports answer on this host's 127.0.0.1" },
  ...STORE_FLAGS,
  listen: { type: "string", value: "ADDR:PORT", help: "where the API server listens (127.0.0.1:6443)" },
  "proxy-mode": {
    type: "string",
    value: "MODE",
    help: "how Service traffic is carried: nftables, iptables, ipvs, userspace, or auto: the best there is (auto)",
  },
  ingress: {
    type: "string",
    value: "ENGINE",
    help: "what carries HTTP of Ingresses: haproxy, builtin, auto: haproxy where it is installed; or off (auto)",
  },
  "ingress-access-log": {
    type: "string",
    value: "FILE",
    help: "where each HTTP request is added as a line of JSON (none)",
  },
  runtime: { type: "string", value: "NAME", help: "process, or simulated: pods without programs (process)" },
  "service-cluster-ip-range": {
    type: "string",
    value: "CIDR[,CIDR]",
    help: "addresses of Services (10.96.0.0/16,fd00:10:96::/112)",
  },
  "cluster-cidr": { type: "string", value: "CIDR[,CIDR]", help: "addresses of pods (10.244.0.0/16,fd00:10:244::/64)" },
  ...LOAD_BALANCER_FLAGS,
  "service-node-port-range": { type: "string", value: "FROM-TO", help: "node ports (30000-32767)" },
  "kubernetes-service-node-port": {
    type: "string",
    value: "PORT",
    help: "a node port for the API server's own Service, default/kubernetes (none)",
  },
  "allow-external-ips": {
    type: "boolean",
    help: "let Services take any address with externalIPs, and traffic that is meant for others with it",
  },
  "allow-host-access": {
    type: "boolean",
    help: "let pods ask for the host's network, files, devices and root (hostNetwork, hostPath, privileged, uid 0)",
  },
  "resolv-conf": {
    type: "string",
    value: "FILE",
    help: "the resolver that pods' own is made from, '' for none (/etc/resolv.conf)",
  },
  "cluster-domain": { type: "string", value: "NAME", help: "the zone of cluster DNS (cluster.local)" },
  "dns-upstream": {
    type: "string",
    multiple: true,
    value: "IP[:PORT]",
    help: "a resolver for names outside the cluster; may be repeated (this host's; a private site has none)",
  },
  "no-search-shortcut": {
    type: "boolean",
    help: "answer each name of a pod's search list by itself, also where one round trip would do",
  },
  "host-dns": { type: "boolean", help: "this host's own resolver finds the cluster's names too, until Fairlead ends" },
  "hostname-override": { type: "string", value: "NAME", help: "the Node's name (this host's name)" },
  ...ENDPOINT_FLAGS,
  "log-level": { type: "string", value: "LEVEL", help: "debug, info, warn or error, in DIR/logs (info)" },
} as const satisfies Flags;

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function text(given: Given, flag: keyof typeof SYSTEM_FLAGS): string | undefined {
  const value = given.values[flag];
  return typeof value === "string" ? value : undefined;
}

/** One range of each family at most, IPv4 first or alone; each with room for the addresses it must have. */
function ranges(flag: string, given: string, need: { readonly addresses: bigint; readonly what: string }): Cidr[] {
  const parsed = given.split(",").map((range) => {
    try {
      return parseCidr(range.trim());
    } catch (error) {
      throw new UsageError(`--${flag}: ${(error as Error).message}`, { cause: error });
    }
  });
  if (parsed.length > 2 || new Set(parsed.map((range) => range.family)).size !== parsed.length) {
    throw new UsageError(
      `--${flag}: ${JSON.stringify(given)} has two ranges of one family; give at most one IPv4 and one IPv6 range`,
    );
  }
  for (const range of parsed) {
    if (range.last - range.first + 1n < need.addresses) {
      throw new UsageError(
        `--${flag}: ${range.text} is too small: ${need.what}; the smallest that will do is /${range.family === "IPv4" ? 32 - (need.addresses.toString(2).length - 1) : 128 - (need.addresses.toString(2).length - 1)}`,
      );
    }
    if (flag === "service-cluster-ip-range" && range.family === "IPv6" && range.prefix < 64) {
      throw new UsageError(
        `--${flag}: ${range.text} is too large: an IPv6 range of Services has a prefix of 64 or longer`,
      );
    }
  }
  return parsed;
}

/** Turns the flags that `up` has into a configuration. Throws UsageError for what contradicts itself. */
export function systemConfig(
  given: Given,
  uid: number,
  environment: NodeJS.ProcessEnv,
  families: readonly IPFamily[],
): SystemConfig {
  const store = storeConfig(given);
  const mode = oneOf("proxy-mode", text(given, "proxy-mode") ?? "auto", [
    "auto",
    "nftables",
    "iptables",
    "ipvs",
    "userspace",
  ]);
  if (mode !== "auto" && PROXY_ENGINES[mode] === undefined)
    throw new UsageError(`--proxy-mode: this version has ${Object.keys(PROXY_ENGINES).join(", ")}, not ${mode}`);
  const runtime = oneOf("runtime", text(given, "runtime") ?? "process", ["process", "simulated", "containerd"]);
  if (runtime === "containerd")
    throw new UsageError("--runtime: this version has process and simulated, not containerd");

  const listen = text(given, "listen") ?? "127.0.0.1:6443";
  const match = /^(?:\[([0-9a-f:]+)\]|([^:]*)):(\d{1,5})$/i.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535) {
    throw new UsageError(
      `--listen: ${JSON.stringify(listen)} is not ADDR:PORT with a port within 1-65535, such as 127.0.0.1:6443`,
    );
  }

  const serviceRanges = ranges(
    "service-cluster-ip-range",
    text(given, "service-cluster-ip-range") ?? "10.96.0.0/16,fd00:10:96::/112",
    {
      addresses: 16n,
      what: "the first address is the API server's and the tenth cluster DNS's",
    },
  );
  const podRanges = ranges("cluster-cidr", text(given, "cluster-cidr") ?? "10.244.0.0/16,fd00:10:244::/64", {
    addresses: 8n,
    what: "one address is the node's and each pod needs one",
  });
  for (const service of serviceRanges) {
    for (const pod of podRanges) {
      if (cidrsOverlap(service, pod)) {
        throw new UsageError(
          `--service-cluster-ip-range ${service.text} and --cluster-cidr ${pod.text} overlap; addresses of Services and of pods must differ`,
        );
      }
    }
  }
  const carried = (range: Cidr): boolean => families.includes(range.family);
  const servicesCarried = serviceRanges.filter(
    (range) => carried(range) && podRanges.some((pod) => pod.family === range.family),
  );
  if (servicesCarried.length === 0) {
    throw new UsageError("--service-cluster-ip-range and --cluster-cidr have no family in common that this kernel has");
  }

  const loadBalancerPools = loadBalancerRanges(
    given.values["load-balancer-range"] as string[] | undefined,
    servicesCarried.map((range) => range.family),
    [
      ...serviceRanges.map((range) => ({ flag: "service-cluster-ip-range", range })),
      ...podRanges.map((range) => ({ flag: "cluster-cidr", range })),
    ],
  );

  const portRange = text(given, "service-node-port-range") ?? "30000-32767";
  const bounds = /^(\d{1,5})-(\d{1,5})$/.exec(portRange);
  const [from, to] = [Number(bounds?.[1]), Number(bounds?.[2])];
  if (bounds === null || from < 1 || to > 65535 || from > to) {
    throw new UsageError(
      `--service-node-port-range: ${JSON.stringify(portRange)} is not FROM-TO within 1-65535, such as 30000-32767`,
    );
  }
  const kubernetesNodePort = text(given, "kubernetes-service-node-port");
  if (
    kubernetesNodePort !== undefined &&
    !(/^\d{1,5}$/.test(kubernetesNodePort) && Number(kubernetesNodePort) >= from && Number(kubernetesNodePort) <= to)
  ) {
    throw new UsageError(
      `--kubernetes-service-node-port: ${JSON.stringify(kubernetesNodePort)} is not a port within --service-node-port-range, ${from}-${to}`,
    );
  }

  const clusterDomain = (text(given, "cluster-domain") ?? "cluster.local").replace(/\.$/, "");
  const nodeName = (text(given, "hostname-override") ?? hostname()).trim().toLowerCase();
  for (const [flag, name] of [
    ["cluster-domain", clusterDomain],
    ["hostname-override", nodeName],
  ] as const) {
    if (!DNS_SUBDOMAIN.test(name) || name.length > 253) {
      throw new UsageError(
        `--${flag}: ${JSON.stringify(name)} is not a DNS name: lower-case letters, digits, '-' and '.'`,
      );
    }
  }

  const resolvConf = text(given, "resolv-conf");
  if (resolvConf !== undefined && resolvConf !== "" && !resolvConf.startsWith("/")) {
    throw new UsageError(`--resolv-conf: ${JSON.stringify(resolvConf)} is not an absolute path, nor '' for none`);
  }

  const upstreams = (given.values["dns-upstream"] as string[] | undefined)?.map((text) => {
    try {
      return parseUpstream(text);
    } catch (error) {
      throw new UsageError(`--dns-upstream: ${(error as Error).message}`, { cause: error });
    }
  });

  const accessLog = text(given, "ingress-access-log");
  if (accessLog === "") throw new UsageError("--ingress-access-log: the name is empty; give the file to add lines to");

  const rootless = uid !== 0;
  const isPrivate = rootless || given.values["private"] === true;
  if (given.values["publish"] === true && !isPrivate) {
    throw new UsageError(
      "--publish belongs to --private: a host site's node ports answer on this host's addresses already",
    );
  }
  if (given.values["host-dns"] === true && isPrivate) {
    throw new UsageError(
      "--host-dns belongs to a host site: the addresses of a private one are reached from inside it only; 'fairlead shell' leads there, and its names work in it",
    );
  }
  return {
    directory: dataDirectory(text(given, "data"), uid, environment),
    store,
    private: isPrivate,
    publish: given.values["publish"] === true,
    rootless,
    listen: { host: match[1] ?? match[2]!, port },
    serviceRanges: servicesCarried.map((range) => range.text),
    podRanges: podRanges
      .filter((range) => servicesCarried.some((service) => service.family === range.family))
      .map((range) => range.text),
    endpoints: endpointFlags(given),
    loadBalancerPools,
    nodePortRange: { from, to },
    ...(kubernetesNodePort === undefined ? {} : { kubernetesNodePort: Number(kubernetesNodePort) }),
    allowHostAccess: given.values["allow-host-access"] === true,
    ...(resolvConf === undefined ? {} : { resolvConf }),
    allowExternalIPs: given.values["allow-external-ips"] === true,
    clusterDomain,
    ...(upstreams === undefined ? {} : { dnsUpstreams: upstreams }),
    searchShortcut: given.values["no-search-shortcut"] !== true,
    hostDns: given.values["host-dns"] === true,
    nodeName,
    runtime,
    logLevel: oneOf("log-level", text(given, "log-level") ?? "info", LOG_LEVELS),
    proxyMode: mode,
    ...(accessLog === undefined ? {} : { ingressAccessLog: resolve(accessLog) }),
    ingress: oneOf("ingress", text(given, "ingress") ?? "auto", ["auto", "builtin", "haproxy", "off"]),
  };
}

/** The addresses that follow from the ranges. */
export interface WellKnownAddresses {
  /** One a family: the node's side of every pod's route, on the interface `fairlead0`. */
  readonly gateways: readonly string[];
  /** `default/kubernetes`: the first address of the first range. */
  readonly kubernetes: string;
  /** `kube-system/kube-dns`: the tenth address of each range. */
  readonly dns: readonly string[];
}

export const wellKnownAddresses = (config: Pick<SystemConfig, "serviceRanges" | "podRanges">): WellKnownAddresses => {
  const services = config.serviceRanges.map(parseCidr);
  return {
    gateways: config.podRanges.map((range) => addressAt(parseCidr(range), 1n)),
    kubernetes: addressAt(services[0]!, 1n),
    dns: services.map((range) => addressAt(range, 10n)),
  };
};
