import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { decode } from "./decode.ts";
import { withDefaults } from "./defaults.ts";
import { encode, encodeYaml } from "./encode.ts";
import { fromFlags, withFile } from "./flags.ts";
import {
  ignoredOf,
  localDetectorOf,
  masqueradingOf,
  nodePortAddressesOf,
  nodePortAdvice,
  periodsOf,
} from "./meaning.ts";
import type { GivenConfiguration, KubeProxyConfiguration } from "./schema.ts";
import { validate } from "./validate.ts";

const HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
const read = (text: string): KubeProxyConfiguration => withDefaults(decode(`${HEAD}${text}`).given);
const faultsOf = (given: GivenConfiguration): string[] =>
  validate(withDefaults(given)).map(({ field, message }) => `${field}: ${message}`);

test("PRX-215, PRX-216, PRX-217, PRX-218, PRX-219, PRX-220, PRX-221, PRX-222, PRX-223, PRX-224: defaults of what is of every mode", () => {
  const all = withDefaults({});
  deepEqual(all.featureGates, {});
  deepEqual(all.clientConnection, {
    kubeconfig: "",
    acceptContentTypes: "",
    contentType: "application/vnd.kubernetes.protobuf",
    qps: 5,
    burst: 10,
  });
  deepEqual([all.logging.format, all.logging.verbosity, all.logging.flushFrequency], ["text", 0, 5000]);
  deepEqual([all.hostnameOverride, all.bindAddress], ["", "0.0.0.0"]);
  deepEqual([all.healthzBindAddress, all.metricsBindAddress], ["0.0.0.0:10256", "127.0.0.1:10249"]);
  deepEqual([all.bindAddressHardFail, all.enableProfiling, all.showHiddenMetricsForVersion], [false, false, ""]);
  deepEqual(faultsOf({}), []);
});

test("PRX-220, PRX-221: an IPv6 bindAddress moves both to IPv6, and a missing port is appended", () => {
  const six = withDefaults({ bindAddress: "fd00::1" });
  deepEqual([six.healthzBindAddress, six.metricsBindAddress], ["[::]:10256", "[::1]:10249"]);
  const given = withDefaults({ healthzBindAddress: "10.0.0.1", metricsBindAddress: "[::1]:99" });
  deepEqual([given.healthzBindAddress, given.metricsBindAddress], ["10.0.0.1:10256", "[::1]:99"]);
});

test("PRX-225, PRX-226, PRX-227, PRX-228, PRX-230, PRX-231, PRX-232, PRX-233, PRX-234, PRX-235: defaults of the modes", () => {
  const { mode, iptables, ipvs, nftables } = withDefaults({});
  equal(mode, "");
  deepEqual([iptables.masqueradeBit, iptables.masqueradeAll, iptables.localhostNodePorts], [14, false, true]);
  deepEqual(ipvs, {
    syncPeriod: 30_000,
    minSyncPeriod: 0,
    scheduler: "",
    excludeCIDRs: [],
    strictARP: false,
    tcpTimeout: 0,
    tcpFinTimeout: 0,
    udpTimeout: 0,
  });
  deepEqual([nftables.masqueradeBit, nftables.masqueradeAll], [14, false]);
});

test("PRX-156, PRX-191, PRX-229, PRX-236: syncPeriod is 30 s, and where upstream waits a second between rounds we wait only when told", () => {
  deepEqual(periodsOf(withDefaults({ mode: "ipvs" }), "ipvs"), { syncPeriod: 30_000, minSyncPeriod: 0 });
  for (const mode of ["iptables", "nftables"] as const) {
    deepEqual(periodsOf(withDefaults({ mode }), mode), { syncPeriod: 30_000, minSyncPeriod: 0 });
    const given = withDefaults({ mode, [mode]: { minSyncPeriod: 1000, syncPeriod: 60_000 } });
    deepEqual(periodsOf(given, mode), { syncPeriod: 60_000, minSyncPeriod: 1000 });
  }
});

test("PRX-238, PRX-239, PRX-240, PRX-241, PRX-242, PRX-243, PRX-244, PRX-245, PRX-246, PRX-247, PRX-248, PRX-249, PRX-237: the other defaults", () => {
  const all = withDefaults({});
  equal(all.detectLocalMode, "ClusterCIDR");
  deepEqual(all.detectLocal, { bridgeInterface: "", interfaceNamePrefix: "" });
  deepEqual([all.clusterCIDR, all.nodePortAddresses, all.oomScoreAdj], ["", [], -999]);
  deepEqual(all.conntrack, {
    maxPerCore: 32_768,
    min: 131_072,
    tcpEstablishedTimeout: 86_400_000,
    tcpCloseWaitTimeout: 3_600_000,
    tcpBeLiberal: false,
    udpTimeout: 0,
    udpStreamTimeout: 0,
  });
  deepEqual([all.configSyncPeriod, all.portRange, all.windowsRunAsService], [900_000, "", false]);
  ok(Object.values(all.winkernel).every((value) => value === "" || value === false));
  const none = withDefaults({ conntrack: { maxPerCore: 0, tcpEstablishedTimeout: 0 }, oomScoreAdj: 0 });
  deepEqual([none.conntrack.maxPerCore, none.conntrack.tcpEstablishedTimeout, none.oomScoreAdj], [0, 0, 0]);
});

for (const [numbers, given, fault] of [
  ["PRX-215", { featureGates: { Nonsense: true } }, /^KubeProxyConfiguration\.featureGates: .*Nonsense/],
  ["PRX-216", { clientConnection: { burst: -1 } }, /ClientConnection\.Burst: Invalid value: -1/],
  ["PRX-219", { bindAddress: "here" }, /BindAddress: Invalid value: "here": not a valid textual representation/],
  ["PRX-220", { healthzBindAddress: "1.2.3.4:0" }, /HealthzBindAddress: Invalid value: "0": must be a valid port/],
  ["PRX-221", { metricsBindAddress: "host:1" }, /MetricsBindAddress: Invalid value: "host": must be a valid IP/],
  ["PRX-224", { showHiddenMetricsForVersion: "1.20" }, /ShowHiddenMetricsForVersion: Invalid value: "1.20"/],
  ["PRX-225", { mode: "kernelspace" }, /ProxyMode: Invalid value: "kernelspace": kernelspace is a mode of Windows/],
  ["PRX-225", { mode: "iptable" }, /ProxyMode: Invalid value: "iptable"/],
  ["PRX-226", { iptables: { masqueradeBit: 32 } }, /IPTablesConfiguration\.MasqueradeBit: .*\[0, 31\]/],
  ["PRX-229", { iptables: { syncPeriod: -1 } }, /SyncPeriod: .*must be greater than 0/],
  ["PRX-229", { iptables: { minSyncPeriod: 31_000 } }, /SyncPeriod: .*greater than or equal to .*MinSyncPeriod/],
  ["PRX-230", { mode: "ipvs", ipvs: { minSyncPeriod: -1 } }, /MinSyncPeriod: /],
  ["PRX-232", { mode: "ipvs", ipvs: { excludeCIDRs: ["10.0.0.1"] } }, /ExcludeCidrs\[0\]: .*must be a valid CIDR/],
  ["PRX-234", { mode: "ipvs", ipvs: { udpTimeout: -1000 } }, /UDPTimeout: Invalid value: "-1s"/],
  ["PRX-235", { mode: "nftables", nftables: { masqueradeBit: -1 } }, /NFTablesConfiguration\.MasqueradeBit/],
  ["PRX-238", { detectLocalMode: "Guess" }, /DetectLocalMode: Invalid value: "Guess"/],
  ["PRX-239", { detectLocalMode: "BridgeInterface" }, /DetectLocalConfiguration\.InterfaceName/],
  ["PRX-239", { detectLocalMode: "InterfaceNamePrefix" }, /DetectLocalConfiguration\.InterfacePrefix/],
  ["PRX-240", { clusterCIDR: "10.0.0.0/8,10.1.0.0/16" }, /ClusterCIDRs: .*dual-stack pair/],
  ["PRX-240", { clusterCIDR: "10.0.0.0" }, /ClusterCIDRs\[0\]: .*valid CIDR block/],
  ["PRX-241", { nodePortAddresses: ["10.0.0.0/8", "primary"] }, /NodePortAddresses\[1\]: .*both 'primary' and CIDRs/],
  ["PRX-241", { nodePortAddresses: ["10.0.0.1"] }, /NodePortAddresses\[0\]: .*must be a valid CIDR/],
  ["PRX-242", { oomScoreAdj: -1001 }, /OOMScoreAdj: .*\[-1000, 1000\]/],
  ["PRX-243", { conntrack: { maxPerCore: -1 } }, /ConntrackConfiguration\.MaxPerCore/],
  ["PRX-244", { conntrack: { tcpCloseWaitTimeout: -1000 } }, /TCPCloseWaitTimeout: Invalid value: "-1s"/],
  ["PRX-246", { conntrack: { udpStreamTimeout: -1000 } }, /UDPStreamTimeout/],
  ["PRX-247", { configSyncPeriod: -1000 }, /ConfigSyncPeriod: Invalid value: "-1s": must be greater than 0/],
] as const satisfies readonly (readonly [string, GivenConfiguration, RegExp])[]) {
  test(`${numbers}, PRX-251: ${JSON.stringify(given)} is one fault under its field`, () => {
    const faults = faultsOf(given);
    equal(faults.length, 1, faults.join("; "));
    ok(faults[0]!.startsWith("KubeProxyConfiguration."), faults.join());
    ok(fault.test(faults[0]!), faults.join());
  });
}

test("PRX-250: periods and masquerading come from the section of the mode", () => {
  const all = withDefaults({
    iptables: { syncPeriod: 1, masqueradeAll: true, masqueradeBit: 3 },
    ipvs: { syncPeriod: 2 },
    nftables: { syncPeriod: 3, masqueradeBit: 5 },
  });
  deepEqual(
    ["iptables", "ipvs", "nftables"].map((mode) => periodsOf(all, mode).syncPeriod),
    [1, 2, 3],
  );
  deepEqual(masqueradingOf(all, "ipvs"), { masqueradeAll: true, masqueradeBit: 3 });
  deepEqual(masqueradingOf(all, "nftables"), { masqueradeAll: false, masqueradeBit: 5 });
});

test("PRX-067, PRX-068, PRX-069, PRX-070: how the source of a packet is known to be a pod", () => {
  const detector = (given: GivenConfiguration) => localDetectorOf(withDefaults(given), ["10.9.0.0/24"]);
  deepEqual(detector({}), { by: "ranges", ranges: [] });
  deepEqual(detector({ clusterCIDR: "10.0.0.0/8,fd00::/64" }), { by: "ranges", ranges: ["10.0.0.0/8", "fd00::/64"] });
  deepEqual(detector({ detectLocalMode: "NodeCIDR" }), { by: "ranges", ranges: ["10.9.0.0/24"] });
  deepEqual(detector({ detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "cni0" } }), {
    by: "interface",
    name: "cni0",
  });
  deepEqual(detector({ detectLocalMode: "InterfaceNamePrefix", detectLocal: { interfaceNamePrefix: "veth" } }), {
    by: "interface-prefix",
    prefix: "veth",
  });
});

test("PRX-077, PRX-147, PRX-241: unset node port addresses are the primary ones with nftables and all with others", () => {
  deepEqual(nodePortAddressesOf(withDefaults({}), "nftables"), ["primary"]);
  for (const mode of ["iptables", "ipvs", "userspace"] as const)
    deepEqual(nodePortAddressesOf(withDefaults({}), mode), []);
  deepEqual(nodePortAddressesOf(withDefaults({ nodePortAddresses: ["10.0.0.0/8"] }), "nftables"), ["10.0.0.0/8"]);
});

test("PRX-265: to who has node ports on all addresses 'primary' is recommended, and to nobody else", () => {
  const advice = (mode: "nftables" | "iptables" | "ipvs", given: GivenConfiguration = {}): string | undefined =>
    nodePortAdvice(nodePortAddressesOf(withDefaults(given), mode));
  for (const mode of ["iptables", "ipvs"] as const) {
    ok(/nodePortAddresses is unset: .*'primary'/.test(advice(mode) ?? ""), mode);
    equal(advice(mode, { nodePortAddresses: ["primary"] }), undefined);
  }
  equal(advice("nftables"), undefined);
});

test("PRX-252: a field that is unknown or there twice is a warning, and the rest holds", () => {
  const { given, warnings } = decode(`${HEAD}mode: ipvs\nmodus: x\niptables: {masqueradeBits: 1}\nmode: nftables\n`);
  equal(given.mode, "nftables");
  equal(warnings.length, 3);
  ok(warnings.some((word) => /twice/.test(word)));
  ok(warnings.includes('unknown field "modus"') && warnings.includes('unknown field "iptables.masqueradeBits"'));
});

for (const [why, text, fault] of [
  ["a wrong type", `${HEAD}mode: [1]\n`, /mode is \[1\]; it should be a text/],
  ["a duration that is none", `${HEAD}configSyncPeriod: soon\n`, /configSyncPeriod is "soon"; it should be a duration/],
  ["another kind", "apiVersion: v1\nkind: ConfigMap\n", /"ConfigMap" of "v1"; it should be KubeProxyConfiguration of/],
  ["no YAML", "a: [", /no YAML/],
  ["nothing", "", /no map/],
] as const) {
  test(`a file that is ${why} is refused with what it should be`, () => {
    throws(() => decode(text), fault);
  });
}

test("PRX-255: what is written is read back as it was, from YAML and as the object of /configz", () => {
  const all = withDefaults({ mode: "nftables", iptables: { syncPeriod: 90_000 }, clusterCIDR: "10.0.0.0/8" });
  const again = decode(encodeYaml(all));
  deepEqual(again.warnings, []);
  deepEqual(withDefaults(again.given), all);
  equal((encode(all)["iptables"] as { syncPeriod: string }).syncPeriod, "1m30s");
});

test("PRX-256: flags are the fields", () => {
  const given = fromFlags({
    "proxy-mode": "ipvs",
    "cluster-cidr": "10.0.0.0/8",
    "nodeport-addresses": "10.0.0.0/8,fd00::/64",
    "masquerade-all": "true",
    "iptables-sync-period": "1m",
    "ipvs-strict-arp": "true",
    "conntrack-udp-timeout": "10s",
    "oom-score-adj": "-5",
    "feature-gates": "AllAlpha=true,WinDSR=false",
    "kube-api-qps": "2.5",
  });
  deepEqual(given, {
    mode: "ipvs",
    clusterCIDR: "10.0.0.0/8",
    nodePortAddresses: ["10.0.0.0/8", "fd00::/64"],
    iptables: { masqueradeAll: true, syncPeriod: 60_000 },
    nftables: { masqueradeAll: true, syncPeriod: 60_000 },
    ipvs: { strictARP: true },
    conntrack: { udpTimeout: 10_000 },
    oomScoreAdj: -5,
    featureGates: { AllAlpha: true, WinDSR: false },
    clientConnection: { qps: 2.5 },
  });
  throws(() => fromFlags({ "oom-score-adj": "x" }), /--oom-score-adj: "x" is not a whole number/);
  throws(() => fromFlags({ "config-sync-period": "1d" }), /is not a duration such as/);
});

test("PRX-253, PRX-218: beside a file only the node's name and the flags of the log hold", () => {
  const { given, passedOver } = withFile(
    { mode: "nftables", hostnameOverride: "of-file", logging: { format: "json" } },
    { "proxy-mode": "ipvs", "hostname-override": "of-flag", v: "4" },
  );
  deepEqual(passedOver, ["proxy-mode"]);
  deepEqual(
    [given.mode, given.hostnameOverride, given.logging],
    ["nftables", "of-flag", { format: "json", verbosity: 4 }],
  );
});

test("PRX-213, PRX-223, PRX-237, PRX-248, PRX-249: what does nothing here is said, each with its reason", () => {
  deepEqual(ignoredOf(withDefaults({})), []);
  const said = ignoredOf(
    read(
      "winkernel: {enableDSR: true}\nwindowsRunAsService: true\nportRange: 1-2\nconfigSyncPeriod: 1m\nenableProfiling: true\nfeatureGates: {WinDSR: true}\n",
    ),
  );
  deepEqual(
    said.map((sentence) => sentence.split(" ")[0]),
    ["winkernel", "windowsRunAsService", "portRange", "configSyncPeriod", "enableProfiling", "featureGates"],
  );
  ok(said.every((sentence) => /accepted and ignored/.test(sentence)));
});
