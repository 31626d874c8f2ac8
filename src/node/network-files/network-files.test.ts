import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import { podHostname } from "./hostname.ts";
import { hostsFile } from "./hosts.ts";
import { parseResolvConf, resolvConf, type ResolvConfOptions } from "./resolv-conf.ts";

const pod = (spec: object, name = "web-0"): Pod =>
  ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "ns" }, spec }) as never;

void test("DNS-097 … DNS-099: the host name", () => {
  assert.deepEqual(podHostname(pod({}), "cluster.local"), { kernel: "web-0", short: "web-0", fqdn: undefined });
  assert.equal(podHostname(pod({}, `${"a".repeat(62)}.${"b".repeat(9)}`), "cluster.local").kernel, "a".repeat(62));
  const fqdn = "h.sub.ns.svc.cluster.local";
  assert.deepEqual(podHostname(pod({ hostname: "h", subdomain: "sub" }), "cluster.local"), {
    kernel: "h",
    short: "h",
    fqdn,
  });
  const full = pod({ hostname: "h", subdomain: "sub", setHostnameAsFQDN: true });
  assert.equal(podHostname(full, "cluster.local").kernel, fqdn);
  assert.throws(() => podHostname(full, "a".repeat(60)), /the kernel takes 64/);
  assert.equal(podHostname(pod({ hostnameOverride: "other.name" }), "cluster.local").kernel, "other.name");
});

void test("DNS-100 … DNS-102: the hosts file to the letter", () => {
  const text = hostsFile(["10.244.0.2", "fd00::2"], { short: "h", fqdn: "h.sub.ns.svc.cluster.local" }, [
    { ip: "1.2.3.4", hostnames: ["a", "b"] },
  ]);
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
const HOST = "search corp.example\nnameserver 9.9.9.9\noptions timeout:1\n";

void test("DNS-113: reading the host's file", () => {
  assert.deepEqual(host, { nameservers: ["9.9.9.9"], searches: ["corp.example"], options: ["timeout:1"] });
});

void test("DNS-103 … DNS-107: resolv.conf by policy, to the letter", () => {
  assert.equal(compose({}).text, CLUSTER);
  assert.equal(compose({ hostNetwork: true }).text, HOST);
  assert.equal(compose({ dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }).text, CLUSTER);
  assert.equal(compose({ dnsPolicy: "Default" }).text, HOST);
  const dnsConfig = { nameservers: ["1.2.3.4"], searches: ["x.y"], options: [{ name: "edns0" }] };
  assert.equal(compose({ dnsPolicy: "None", dnsConfig }).text, "search x.y\nnameserver 1.2.3.4\noptions edns0\n");
});

void test("DNS-108, DNS-109: dnsConfig is merged", () => {
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

void test("DNS-110 … DNS-112: no cluster DNS, no cluster domain, no host file", () => {
  const missing = compose({}, { clusterDNS: [] });
  assert.equal(missing.text, HOST);
  assert.deepEqual(
    missing.warnings.map(({ reason }) => reason),
    ["MissingClusterDNS"],
  );
  assert.equal(
    compose({}, { clusterDomain: "" }).text,
    "search corp.example\nnameserver 10.96.0.10\noptions ndots:5\n",
  );
  const none = compose({ dnsPolicy: "Default" }, { host: undefined, nodeAddresses: ["192.0.2.1", "2001:db8::1"] });
  assert.equal(none.text, "search .\nnameserver 127.0.0.1\nnameserver ::1\n");
});

void test("DNS-114: three nameservers, 32 domains, 2048 characters, each domain 253", () => {
  const servers = compose({ dnsConfig: { nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3"] } });
  assert.equal(servers.text.match(/nameserver/g)?.length, 3);
  assert.deepEqual(
    servers.warnings.map(({ reason }) => reason),
    ["DNSConfigForming"],
  );
  const searches = Array.from({ length: 40 }, (_, index) => `d${index}.example`);
  const many = compose({ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], searches } });
  assert.equal(many.text.split("\n")[0]?.split(" ").length, 33);
  const long = [
    "a".repeat(254),
    ...Array.from({ length: 12 }, (_, index) => `${String(index).padStart(3, "0")}${"a".repeat(200)}`),
  ];
  const cut = compose({ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], searches: long } });
  const line = cut.text.split("\n")[0]!.slice("search ".length);
  assert.equal(line.length, 203 * 10 + 9);
  assert.ok(!line.includes("a".repeat(254)));
});
