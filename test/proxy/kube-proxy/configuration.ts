import type { NodePlan } from "../../../src/proxy/plan/plan.ts";

export type KubeProxyMode = "nftables" | "iptables";

/** The lab's node in the words of kube-proxy: kubeproxy.config.k8s.io/v1alpha1. */
export function configurationOf(mode: KubeProxyMode, node: NodePlan, kubeconfig: string): object {
  const { localDetector: detector, nodePortAddresses } = node;
  const ranges = detector.by === "ranges" ? detector.ranges : [];
  const addresses = (["IPv4", "IPv6"] as const).flatMap((family) => {
    const named = nodePortAddresses[family];
    const zero = family === "IPv4" ? "0.0.0.0/0" : "::/0";
    // A family of which none is named has all: an address that nobody has stands for none.
    if (named === "all") return [zero];
    const width = family === "IPv4" ? 32 : 128;
    const none = family === "IPv4" ? "192.0.2.255/32" : "2001:db8:ffff::1/128";
    return named.length === 0 ? [none] : named.map((ip) => `${ip}/${width}`);
  });
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode,
    hostnameOverride: node.nodeName,
    clientConnection: { kubeconfig },
    clusterCIDR: ranges.join(","),
    detectLocalMode:
      detector.by === "interface"
        ? "BridgeInterface"
        : detector.by === "interface-prefix"
          ? "InterfaceNamePrefix"
          : "ClusterCIDR",
    detectLocal: {
      bridgeInterface: detector.by === "interface" ? detector.name : "",
      interfaceNamePrefix: detector.by === "interface-prefix" ? detector.prefix : "",
    },
    nodePortAddresses: addresses,
    nftables: { masqueradeAll: node.masqueradeAll, minSyncPeriod: "10ms", syncPeriod: "30s" },
    iptables: {
      masqueradeAll: node.masqueradeAll,
      localhostNodePorts: node.localhostNodePorts,
      minSyncPeriod: "10ms",
      syncPeriod: "30s",
    },
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    healthzBindAddress: "127.0.0.1:1256",
    metricsBindAddress: "127.0.0.1:1249",
  };
}
