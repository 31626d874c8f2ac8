import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPFamily } from "../net/ip.ts";
import { SYSTEM_FLAGS, systemConfig, wellKnownAddresses } from "./config.ts";
import { dataDirectory, layoutOf } from "./data/layout.ts";
import { readFlags } from "./flags.ts";
import { resolvConf } from "./resolv-conf.ts";

const BOTH: readonly IPFamily[] = ["IPv4", "IPv6"];
const config = (argv: string[] = [], uid = 0, families = BOTH) =>
  systemConfig(readFlags("up", SYSTEM_FLAGS, argv), uid, {}, families);

test("SVC-115: without flags: both families, the usual ranges, a host site for root and a private one for others", () => {
  const { serviceRanges, podRanges, nodePortRange, listen, clusterDomain } = config();
  assert.deepEqual(serviceRanges, ["10.96.0.0/16", "fd00:10:96::/112"]);
  assert.deepEqual(podRanges, ["10.244.0.0/16", "fd00:10:244::/64"]);
  assert.deepEqual(nodePortRange, { from: 30000, to: 32767 });
  assert.deepEqual(listen, { host: "127.0.0.1", port: 6443 });
  assert.equal(clusterDomain, "cluster.local");
  assert.deepEqual([config().private, config().rootless], [false, false]);
  assert.deepEqual([config([], 1000).private, config([], 1000).rootless], [true, true]);
});

test("a family that the kernel or the other flag has not is left out", () => {
  assert.deepEqual(config([], 0, ["IPv4"]).podRanges, ["10.244.0.0/16"]);
  assert.deepEqual(config(["--cluster-cidr", "10.1.0.0/16"]).serviceRanges, ["10.96.0.0/16"]);
  assert.throws(() => config(["--cluster-cidr", "fd01::/64"], 0, ["IPv4"]), /no family in common/);
});

test("what contradicts itself is refused by the flag's name", () => {
  const cases: [string[], RegExp][] = [
    [["--service-cluster-ip-range", "10.96.0.0/29"], /^--service-cluster-ip-range: .*too small.*\/28$/],
    [["--service-cluster-ip-range", "fd00::/63"], /^--service-cluster-ip-range: .*too large/],
    [["--service-cluster-ip-range", "10.96.0.0/16,"], /^--service-cluster-ip-range: .*ADDRESS\/PREFIX/],
    [["--cluster-cidr", "10.0.0.0/30"], /^--cluster-cidr: .*too small.*\/29$/],
    [["--cluster-cidr", "10.96.4.0/24"], /overlap/],
    [["--cluster-cidr", "10.0.0.0/16,10.1.0.0/16"], /two ranges of one family/],
    [["--service-node-port-range", "0-5"], /^--service-node-port-range/],
    [["--service-node-port-range", "5-65536"], /^--service-node-port-range/],
    [["--kubernetes-service-node-port", "443"], /^--kubernetes-service-node-port: "443" .*30000-32767/],
    [["--kubernetes-service-node-port", "3e4"], /^--kubernetes-service-node-port/],
    [["--listen", "127.0.0.1:65536"], /^--listen/],
    [["--listen", "127.0.0.1:0"], /^--listen/],
    [["--listen", "::1:6443"], /^--listen/],
    [["--cluster-domain", "a..b"], /^--cluster-domain/],
    [["--hostname-override", "a_b"], /^--hostname-override/],
    [["--publish"], /^--publish/],
    [["--resolv-conf", "resolv.conf"], /^--resolv-conf: "resolv\.conf" is not an absolute path/],
    [["--dns-upstream", "dns.test"], /^--dns-upstream: .*"dns\.test" is not IP, IPv4:PORT/],
    [["--private", "--host-dns"], /^--host-dns belongs to a host site: .*'fairlead shell'/],
    [["--store", "etcd"], /^--store: etcd where\?/],
    [["--store", "sqlit"], /^--store: .*did you mean sqlite\?/],
    [["--store", "etcd://"], /^--store: "" is not HOST:PORT/],
    [["--store", "etcd://10.0.0.1"], /^--store: "10\.0\.0\.1" is not HOST:PORT/],
    [["--store", "etcd://10.0.0.1:2379,10.0.0.2:0"], /^--store: "10\.0\.0\.2:0" is not/],
    [["--store", "etcd://10.0.0.1:2379/x"], /^--store: "10\.0\.0\.1:2379\/x" is not/],
    [["--store", "etcd://root:secret@10.0.0.1:2379"], /^--store: a name and password would show.*--etcd-user-file/],
    [["--etcd-cafile", "ca.crt"], /^--etcd-cafile belongs to --store etcd/],
    [["--store", "etcds://h:1", "--etcd-certfile", "c"], /^--etcd-certfile and --etcd-keyfile belong together/],
    [["--store", "etcds://h:1", "--etcd-cafile", ""], /^--etcd-cafile: .*empty/],
  ];
  for (const [argv, words] of cases) {
    assert.throws(() => config(argv), { name: "UsageError", message: words }, argv.join(" "));
  }
  // The smallest that the sentences offer are taken.
  assert.equal(config(["--service-cluster-ip-range", "10.96.0.0/28"]).serviceRanges[0], "10.96.0.0/28");
  assert.equal(config(["--cluster-cidr", "10.0.0.0/29"]).podRanges[0], "10.0.0.0/29");
});

test("DNS-081: resolvers for names outside the cluster, in their order; by themselves the flags leave all as it is usual", () => {
  const { dnsUpstreams, searchShortcut, hostDns } = config();
  assert.deepEqual(
    { dnsUpstreams, searchShortcut, hostDns },
    { dnsUpstreams: undefined, searchShortcut: true, hostDns: false },
  );
  const set = config([
    "--dns-upstream",
    "192.0.2.53",
    "--dns-upstream",
    "[2001:db8::53]:5353",
    "--no-search-shortcut",
    "--host-dns",
  ]);
  assert.deepEqual(set.dnsUpstreams, [
    { address: "192.0.2.53", port: 53 },
    { address: "2001:db8::53", port: 5353 },
  ]);
  assert.deepEqual([set.searchShortcut, set.hostDns], [false, true]);
});

test("the store: sqlite, or etcd at several endpoints, with TLS and a user's file", () => {
  assert.deepEqual(config().store, { kind: "sqlite" });
  const { store } = config(["--store", "etcd://10.0.0.1:2379,etcd-2.example:2379,[fd00::1]:2379"]);
  assert.deepEqual(store, {
    kind: "etcd",
    endpoints: ["10.0.0.1:2379", "etcd-2.example:2379", "[fd00::1]:2379"],
    tls: false,
  });
  assert.deepEqual(config(["--store", "etcds://h:1"]).store, { kind: "etcd", endpoints: ["h:1"], tls: true });
  const files = [
    "--etcd-cafile",
    "/p/ca",
    "--etcd-certfile",
    "/p/c",
    "--etcd-keyfile",
    "/p/k",
    "--etcd-user-file",
    "/p/u",
  ];
  assert.deepEqual(config(["--store", "etcd://h:1", ...files]).store, {
    kind: "etcd",
    endpoints: ["h:1"],
    tls: true,
    caFile: "/p/ca",
    certFile: "/p/c",
    keyFile: "/p/k",
    userFile: "/p/u",
  });
});

test("addresses to listen on", () => {
  assert.deepEqual(config(["--listen", "[::1]:1"]).listen, { host: "::1", port: 1 });
  assert.deepEqual(config(["--listen", ":7443"]).listen, { host: "", port: 7443 });
});

test("SVC-304: new external IPs are refused unless they are allowed", () => {
  assert.equal(config().allowExternalIPs, false);
  assert.equal(config(["--allow-external-ips"]).allowExternalIPs, true);
});

test("pods may have the host only when that is said", () => {
  assert.deepEqual([config().allowHostAccess, config(["--allow-host-access"]).allowHostAccess], [false, true]);
});

test("well-known addresses: the first of each range, and the tenth for DNS", () => {
  assert.deepEqual(wellKnownAddresses(config()), {
    gateways: ["10.244.0.1", "fd00:10:244::1"],
    kubernetes: "10.96.0.1",
    dns: ["10.96.0.10", "fd00:10:96::a"],
  });
});

test("the data directory: as given, else root's, else the user's", () => {
  assert.equal(dataDirectory("/srv/x/../y", 1000, {}), "/srv/y");
  assert.equal(dataDirectory(undefined, 0, {}), "/var/lib/fairlead");
  assert.equal(dataDirectory(undefined, 1000, { XDG_DATA_HOME: "/home/u/data" }), "/home/u/data/fairlead");
  assert.match(dataDirectory(undefined, 1000, {}), /\/\.local\/share\/fairlead$/);
  assert.throws(() => dataDirectory("", 0, {}), /--data: the name is empty/);
  for (const path of Object.values(layoutOf("/srv/y")).flat())
    assert.ok(path === "/srv/y" || path.startsWith("/srv/y/"), path);
});

test("DNS-103: a resolv.conf with a pod's search list, and at most the three servers a resolver reads", () => {
  assert.equal(
    resolvConf(["10.96.0.10", "b", "c", "d"], "web", "cluster.local"),
    "nameserver 10.96.0.10\nnameserver b\nnameserver c\nsearch web.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n",
  );
});

test("the runtime is process unless told, simulated when told; others are refused by name", () => {
  assert.equal(config().runtime, "process");
  assert.equal(config(["--runtime", "simulated"]).runtime, "simulated");
  assert.throws(() => config(["--runtime", "containerd"]), /^UsageError: --runtime: .*not containerd$|not containerd/);
  assert.throws(() => config(["--runtime", "simulate"]), /did you mean simulated\?/);
});
