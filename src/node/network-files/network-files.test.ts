import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import { exceededLimits } from "./check-limits.ts";
import { podHostname } from "./hostname.ts";
import { hostsFile, nodeHostsFile } from "./hosts.ts";
import { parseResolvConf, resolvConf, type ResolvConfOptions } from "./resolv-conf.ts";

const pod = (spec: object, name = "web-0"): Pod =>
  ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "ns" }, spec }) as never;

const NODE = "machine";
const named = (spec: object, name?: string) => podHostname(pod(spec, name), "cluster.local", NODE);

void test("DNS-097, DNS-098, DNS-099: the host name", () => {
  assert.deepEqual(named({}), { kernel: "web-0", short: "web-0", fqdn: undefined });
  assert.equal(named({}, `${"a".repeat(62)}.${"b".repeat(9)}`).kernel, "a".repeat(62));
  const fqdn = "h.sub.ns.svc.cluster.local";
  assert.deepEqual(named({ hostname: "h", subdomain: "sub" }), { kernel: "h", short: "h", fqdn });
  const full = pod({ hostname: "h", subdomain: "sub", setHostnameAsFQDN: true });
  assert.equal(podHostname(full, "cluster.local", NODE).kernel, fqdn);
  assert.throws(() => podHostname(full, "a".repeat(60), NODE), /the kernel takes 64/);
  assert.equal(named({ hostnameOverride: "other.name", subdomain: "sub" }).kernel, "other.name");
  assert.equal(named({ hostnameOverride: "other.name", subdomain: "sub" }).fqdn, undefined);
  assert.equal(named({ hostNetwork: true, hostname: "h" }).kernel, NODE);
});

void test("DNS-100, DNS-101, DNS-102: the hosts file to the letter, and the node's for a pod on its network", () => {
  const aliases = [{ ip: "1.2.3.4", hostnames: ["a", "b"] }];
  const text = hostsFile(["10.244.0.2", "fd00::2"], { short: "h", fqdn: "h.sub.ns.svc.cluster.local" }, aliases);
  assert.equal(
    text,
    `# Managed by Fairlead: the hosts of this pod.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
10.244.0.2\th.sub.ns.svc.cluster.local\th
fd00::2\th.sub.ns.svc.cluster.local\th

# Entries of spec.hostAliases.
1.2.3.4\ta\tb
`,
  );
  assert.match(hostsFile(["10.244.0.2"], { short: "h", fqdn: undefined }, []), /\n10\.244\.0\.2\th\n$/);
  assert.equal(
    nodeHostsFile("127.0.0.1 localhost\n192.0.2.1 machine\n", aliases),
    `# Managed by Fairlead: the hosts of the node (host network).
127.0.0.1 localhost
192.0.2.1 machine

# Entries of spec.hostAliases.
1.2.3.4\ta\tb
`,
  );
});

const host = parseResolvConf(
  "nameserver 9.9.9.9\nsearch old\noptions timeout:1\nsearch corp.example. .\n# nameserver 1.1.1.1\n",
);
const compose = (spec: object, options: Partial<ResolvConfOptions> = {}) =>
  resolvConf({
    pod: pod(spec),
    host,
    clusterDNS: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    nodeAddresses: ["192.0.2.1"],
    ...options,
  });
const CLUSTER = `search ns.svc.cluster.local svc.cluster.local cluster.local corp.example
nameserver 10.96.0.10
options ndots:5
`;
const SAME = CLUSTER;
const HOST = "search corp.example\nnameserver 9.9.9.9\noptions timeout:1\n";

void test("DNS-113: reading the host's file: the last search line, all nameservers, no final or lone dots, no comments", () => {
  assert.deepEqual(host, { nameservers: ["9.9.9.9"], searches: ["corp.example"], options: ["timeout:1"] });
  const more = parseResolvConf(
    "nameserver 1.1.1.1\nnameserver ::1 # mine\noptions ndots:1 rotate\noptions ndots:3\nsearch a.b c.\n",
  );
  assert.deepEqual(more, {
    nameservers: ["1.1.1.1", "::1"],
    searches: ["a.b", "c"],
    options: ["ndots:3", "rotate"],
  });
});

const OTHER = { nameservers: ["1.2.3.4"], searches: ["x.y"], options: [{ name: "edns0" }] };
for (const [title, spec, text] of [
  ["DNS-103: ClusterFirst: cluster DNS, its domains before the host's, ndots alone", {}, CLUSTER],
  ["DNS-103: a domain that is both the cluster's and the host's is there once", { same: true }, SAME],
  ["DNS-104: ClusterFirst on the node's network: the host's", { hostNetwork: true }, HOST],
  [
    "DNS-105: ClusterFirstWithHostNet: as in the pod network",
    { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true },
    CLUSTER,
  ],
  ["DNS-106: Default: the host's", { dnsPolicy: "Default" }, HOST],
  [
    "DNS-107: None: dnsConfig alone",
    { dnsPolicy: "None", dnsConfig: OTHER },
    "search x.y\nnameserver 1.2.3.4\noptions edns0\n",
  ],
] as const) {
  void test(title, () => {
    const own = "same" in spec ? { host: { ...host, searches: ["cluster.local", "corp.example"] } } : {};
    assert.equal(compose(spec, own).text, text);
  });
}

void test("DNS-122: a pod on the node's network follows the same table, with its dnsConfig", () => {
  assert.equal(
    compose({ hostNetwork: true, dnsConfig: OTHER }).text,
    "search corp.example x.y\nnameserver 9.9.9.9\nnameserver 1.2.3.4\noptions timeout:1 edns0\n",
  );
});

void test("DNS-108, DNS-109: dnsConfig is added to any policy, without repetition; an option replaces its namesake", () => {
  const dnsConfig = {
    nameservers: ["10.96.0.10", "1.2.3.4"],
    searches: ["cluster.local", "x.y"],
    options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
  };
  assert.equal(
    compose({ dnsConfig }).text,
    `search ns.svc.cluster.local svc.cluster.local cluster.local corp.example x.y
nameserver 10.96.0.10
nameserver 1.2.3.4
options ndots:2 edns0
`,
  );
});

void test("DNS-110: without cluster DNS the host's resolver is used, and pod and node are told", () => {
  for (const spec of [{}, { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }]) {
    const missing = compose(spec, { clusterDNS: [] });
    assert.equal(missing.text, HOST);
    assert.deepEqual(
      missing.warnings.map(({ reason, about }) => [reason, about]),
      [["MissingClusterDNS", "pod and node"]],
    );
  }
  assert.deepEqual(compose({ hostNetwork: true }, { clusterDNS: [] }).warnings, []);
  assert.deepEqual(compose({ dnsPolicy: "Default" }, { clusterDNS: [] }).warnings, []);
});

void test("DNS-111: without a cluster domain the search list is the host's", () => {
  assert.equal(
    compose({}, { clusterDomain: "" }).text,
    "search corp.example\nnameserver 10.96.0.10\noptions ndots:5\n",
  );
});

void test("DNS-112: without a file of the host's names are looked for on the loopback, by the node's families", () => {
  const none = (nodeAddresses: string[]): string =>
    compose({ dnsPolicy: "Default" }, { host: undefined, nodeAddresses }).text;
  assert.equal(none(["192.0.2.1", "2001:db8::1"]), "search .\nnameserver 127.0.0.1\nnameserver ::1\n");
  assert.equal(none(["2001:db8::1"]), "search .\nnameserver ::1\n");
  assert.equal(none(["192.0.2.1"]), "search .\nnameserver 127.0.0.1\n");
});

const searching = (searches: string[]) =>
  compose({ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], searches } });
const linesOf = (text: string): string => text.split("\n")[0]!.slice("search ".length);

void test("DNS-114: three nameservers, 32 domains, 2048 characters, each domain 253; the pod is told what is left", () => {
  const servers = compose({ dnsConfig: { nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3"] } });
  assert.equal(servers.text.match(/nameserver/g)?.length, 3);
  assert.deepEqual(servers.warnings, [
    {
      reason: "DNSConfigForming",
      message:
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 10.96.0.10 1.1.1.1 2.2.2.2",
      about: "pod",
    },
  ]);
  const many = searching(Array.from({ length: 40 }, (_, index) => `d${index}.example`));
  assert.equal(linesOf(many.text).split(" ").length, 32);
  assert.match(many.warnings[0]?.message ?? "", /^Search Line limits were exceeded.* is: d0\.example .* d31\.example$/);
  const long = [
    "a".repeat(254),
    ...Array.from({ length: 12 }, (_, index) => `${String(index).padStart(3, "0")}${"a".repeat(200)}`),
  ];
  const line = linesOf(searching(long).text);
  assert.equal(line.length, 203 * 10 + 9);
  assert.ok(!line.includes("a".repeat(254)));
  assert.deepEqual(searching(["a".repeat(253)]).warnings, []);
});

void test("DNS-115: what of the host's resolver does not fit into pods' own is said of the node", () => {
  const said = (searches: string[], domain = "cluster.local"): string =>
    exceededLimits({ nameservers: [], searches, options: [] }, "/etc/resolv.conf", domain) ?? "";
  const many = Array.from({ length: 30 }, (_, index) => `d${index}`);
  assert.match(said(many), /^\/etc\/resolv\.conf: its search line has 30 domains; .* 29 of them$/);
  assert.equal(said(many.slice(1)), "");
  assert.equal(said(many, ""), "");
  assert.match(said(["a".repeat(254)]), /254 characters/);
  assert.match(
    said(Array.from({ length: 12 }, (_, index) => `${index}${"a".repeat(200)}`)),
    /search line has \d+ characters; a pod's has 2048/,
  );
});

void test("DNS-119: one search line, a nameserver a line, one options line", () => {
  const dnsConfig = {
    nameservers: ["1.1.1.1", "::1"],
    searches: ["a.b", "c_d.e", "."],
    options: [{ name: "a", value: "1" }, { name: "b" }],
  };
  assert.equal(
    compose({ dnsPolicy: "None", dnsConfig }).text,
    "search a.b c_d.e .\nnameserver 1.1.1.1\nnameserver ::1\noptions a:1 b\n",
  );
});
