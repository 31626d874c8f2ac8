import { test } from "node:test";
import type { EngineAbilities } from "../../src/proxy/engine.ts";
import { openNodeApi, type NodeApi } from "./kube-proxy/api.ts";
import { KubeProxy } from "./kube-proxy/carrier.ts";
import type { KubeProxyMode } from "./kube-proxy/configuration.ts";
import { nodePlan } from "./lab/objects.ts";
import { foreignTable } from "./packet-table.ts";
import { Matrix } from "./table/matrix.ts";
import type { Table } from "./table/table.ts";

const OWN_WAY = "kube-proxy chooses at random";
const NOT_THEIRS = "kube-proxy has no such thing";

/** What kube-proxy can do, in the words of our engines. */
const ABILITIES: Readonly<Record<KubeProxyMode, EngineAbilities>> = (() => {
  const both: EngineAbilities = {
    udp: true,
    sctp: true,
    clientSourceAddress: true,
    refusalWithoutEndpoints: true,
    dropWithoutLocalEndpoints: true,
    refusalOfWrongPorts: true,
    dropOfUnassignedAddresses: true,
    dropOutsideSourceRanges: true,
    shortCircuits: true,
    sessionAffinity: true,
    affinityAcrossAddresses: true,
    loopbackNodePorts: { not: "nftables serves none on loopback (PRX-080)" },
    loopbackNodePortsIPv6: { not: "the kernel routes nothing from ::1 (PRX-081)" },
    retry: { not: "the kernel has chosen before anybody answers" },
    weights: { not: NOT_THEIRS },
    portRanges: { not: NOT_THEIRS },
    balance: {
      random: true,
      "round-robin": { not: OWN_WAY },
      "least-connections": { not: OWN_WAY },
      maglev: { not: OWN_WAY },
      "source-hash": { not: OWN_WAY },
    },
  };
  return {
    nftables: both,
    iptables: {
      ...both,
      refusalOfWrongPorts: { not: "they leave by the routing table (PRX-073)" },
      dropOfUnassignedAddresses: { not: "they leave by the routing table (PRX-073)" },
      loopbackNodePorts: true,
    },
  };
})();

/** Rows in which ours is another answer, by their first number. */
const EXCEPTIONS: NonNullable<Table["subject"]["exceptions"]> = {
  "PRX-062": {
    why: "for kube-proxy the node's own address in the range of pods is a pod's; for us it is the node's",
    instead: { pods: ["pod1", "pod2", "pod3"], source: "kept" },
  },
  "PRX-039": {
    why: "for kube-proxy the node's own address in the range of pods is a pod's; for us it is the node's",
    instead: { pods: ["pod1", "pod2", "pod3"], source: "kept" },
  },
};
/**
 * Rows about what kube-proxy leaves open (PRX-044), takes from the machine (PRX-262), or does not do by iptables: refuse a process of the
 * node itself at external addresses (PRX-171), filter without endpoints (PRX-093).
 */
const OPEN: Readonly<Record<KubeProxyMode, readonly string[]>> = {
  nftables: ["PRX-044", "PRX-262"],
  iptables: [
    "PRX-044",
    "PRX-262",
    "PRX-045, PRX-141: without endpoints externalIP",
    "PRX-045, PRX-141: without endpoints vip",
    "PRX-092",
  ],
};

const binary = process.env["KUBE_PROXY"];
const mode = (process.env["KUBE_PROXY_MODE"] ?? "nftables") as KubeProxyMode;

/** The judge: the same table, carried by the real kube-proxy that KUBE_PROXY names, in the mode of KUBE_PROXY_MODE. */
if (binary === undefined) {
  test("the packet table, carried by the real kube-proxy", { skip: "KUBE_PROXY names none" }, () => {});
} else {
  let api: NodeApi | undefined;
  let proxy: KubeProxy | undefined;
  foreignTable(
    (rest) => ({
      ...rest,
      subject: {
        name: `kube-proxy ${mode}`,
        open: () => {
          throw new Error("kube-proxy is no engine of ours");
        },
        exceptions: EXCEPTIONS,
      },
      leaves: OPEN[mode],
      abilities: ABILITIES[mode],
      // Never written: what is not ours has no place in our page.
      matrix: new Matrix(`kube-proxy ${mode}`, "all"),
      carry: (change, zone) => proxy!.carry(nodePlan(change), zone),
      async close() {
        await proxy?.cleanup();
        await api?.close();
      },
    }),
    async (network) => {
      api = await openNodeApi(network.at("node"));
      proxy = new KubeProxy(binary, mode, network, api);
      await proxy.prepare();
    },
  );
}
