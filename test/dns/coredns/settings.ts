import type { KubernetesOptions } from "../../../src/dns/configuration/configuration.ts";
import { usualBlock, usualForward, usualKubernetes } from "../../../src/dns/configuration/usual.ts";
import type { Setting } from "./sides.ts";

const ZONE = "cluster.local";
const setting = (options: Partial<KubernetesOptions>): Setting => ({
  ...usualBlock,
  kubernetes: { ...usualKubernetes(ZONE), fallthrough: [], ...options },
});

/** The ways to set up the cluster's names, each by what it is about; the resolver at `upstream` is asked for the rest. */
export const settings = (upstream: number): Readonly<Record<string, Setting>> => {
  const forward = [{ ...usualForward([{ address: "127.0.0.1", port: upstream }]), policy: "sequential" as const }];
  return {
    alone: setting({ ttl: 30 }),
    "DNS-096: endpoint_pod_names": setting({ endpointPodNames: true }),
    "DNS-126: noendpoints": setting({ noEndpoints: true }),
    "DNS-127: ignore empty_service": setting({ ignoreEmptyServices: true }),
    "DNS-128: zonal": setting({ zonal: true }),
    "DNS-076: namespaces": setting({ namespaces: ["testns", "sentinel"] }),
    "DNS-076: namespace_labels": setting({ namespaceLabels: "exposed=yes" }),
    "DNS-125: labels": setting({ labels: "exposed=yes" }),
    "DNS-085: pods verified": setting({ pods: "verified", ttl: 0 }),
    "DNS-083: pods disabled": setting({ pods: "disabled", ttl: 3600 }),
    "DNS-124: one reverse range": setting({ zones: [ZONE, "0.0.10.in-addr.arpa"] }),
    "DNS-129: with a resolver behind it": {
      ...setting({ fallthrough: ["in-addr.arpa", "ip6.arpa"], ttl: 30 }),
      forward,
    },
    "DNS-125: fallthrough for every name": { ...setting({ fallthrough: [""] }), forward },
  };
};
