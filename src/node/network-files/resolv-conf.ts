import type { Pod } from "../../api/generated/types.ts";
import { mergedOptions, podResolver, type Resolver, type ResolverGround } from "../../api/pod/resolver.ts";

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
    if (word === "options") options = mergedOptions([...options, ...values]);
  }
  return { nameservers, searches, options };
}

export interface ResolvConfOptions extends ResolverGround {
  readonly pod: Pod;
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

/** The pod's /etc/resolv.conf (DNS-103 … DNS-123). */
export function resolvConf(options: ResolvConfOptions): ResolvConf {
  const { pod } = options;
  const { wanted, applied, lacksCluster } = podResolver(pod, options);
  const warnings: ResolverWarning[] = [];
  if (lacksCluster) {
    const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
    warnings.push({
      reason: "MissingClusterDNS",
      message: `the node has no cluster DNS address: policy ${policy} cannot be kept, the host's resolver is used`,
      about: "pod and node",
    });
  }
  const { nameservers, searches } = applied;
  const searchLine = searches.join(" ");
  const formed = (message: string): void => void warnings.push({ reason: "DNSConfigForming", message, about: "pod" });
  if (nameservers.length < wanted.nameservers.length) {
    formed(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${nameservers.join(" ")}`,
    );
  }
  if (searches.length < wanted.searches.length) {
    formed(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searchLine}`,
    );
  }
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searchLine}`]),
    ...nameservers.map((nameserver) => `nameserver ${nameserver}`),
    ...(applied.options.length === 0 ? [] : [`options ${applied.options.join(" ")}`]),
  ];
  return { text: lines.map((line) => `${line}\n`).join(""), warnings };
}
