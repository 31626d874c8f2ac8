import { deepEqual, equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../dns/configuration/usual.ts";
import { readFlags } from "../flags.ts";
import { DNS_FLAGS, dnsRun, flagConfiguration, type DnsRun } from "./dns-flags.ts";

const RESOLV_CONF = "nameserver 192.0.2.1\nnameserver fe80::1%eth0\n";
const configured = (...argv: string[]): DnsConfiguration =>
  flagConfiguration(readFlags("dns", DNS_FLAGS, argv), () => RESOLV_CONF);
const run = (...argv: string[]): DnsRun => dnsRun(readFlags("dns", DNS_FLAGS, argv));

void test("without flags: the usual zone on every address, and the host's own resolvers for other names", () => {
  deepEqual(configured(), {
    servers: [
      {
        ...usualBlock,
        kubernetes: usualKubernetes("cluster.local"),
        forward: [
          usualForward([
            { address: "192.0.2.1", port: 53 },
            { address: "fe80::1", port: 53 },
          ]),
        ],
        cache: usualCache,
        errors: true,
        loadbalance: true,
        loop: true,
      },
    ],
  });
  deepEqual(run(), { shortcut: true, register: [], workers: 1, logLevel: "info" });
});

void test("each flag has its effect", () => {
  const { servers, ...whole } = configured(
    "--listen=127.0.0.1:1053",
    "--listen=[::1]:1053",
    "--listen=:1054",
    "--cluster-domain=Corp.Example.",
    "--upstream=9.9.9.9:5353",
    "--upstream=[2620:fe::fe]:53",
    "--stub-domain=acme.local=192.0.2.53,[2001:db8::53]:54",
    "--hosts=/etc/hosts.cluster",
    "--ttl=17",
    "--pods=verified",
    "--serve-stale",
    "--metrics-bind-address=127.0.0.1:9153",
    "--health-bind-address=:8080",
    "--ready-bind-address=[::1]:8181",
  );
  deepEqual(whole, {
    health: { host: "", port: 8080, lameduck: 0 },
    ready: { host: "::1", port: 8181 },
    prometheus: { host: "127.0.0.1", port: 9153 },
  });
  deepEqual(
    servers.map(({ zones, port, bind }) => ({ zones, port, bind })),
    [
      { zones: [""], port: 1053, bind: ["127.0.0.1", "::1"] },
      { zones: ["acme.local"], port: 1053, bind: ["127.0.0.1", "::1"] },
      { zones: [""], port: 1054, bind: undefined },
      { zones: ["acme.local"], port: 1054, bind: undefined },
    ],
  );
  const [cluster, stub] = servers;
  deepEqual(cluster!.kubernetes, { ...usualKubernetes("corp.example"), ttl: 17, pods: "verified" });
  deepEqual(cluster!.forward[0]!.to, [
    { address: "9.9.9.9", port: 5353 },
    { address: "2620:fe::fe", port: 53 },
  ]);
  deepEqual(cluster!.cache!.serveStale, { duration: 3_600_000, verify: false });
  equal(cluster!.hosts!.file, "/etc/hosts.cluster");
  equal(stub!.kubernetes, undefined);
  deepEqual(stub!.forward[0]!.to, [
    { address: "192.0.2.53", port: 53 },
    { address: "2001:db8::53", port: 54 },
  ]);
  deepEqual(configured("--upstream=").servers[0]!.forward, []);
  deepEqual(
    run("--no-search-shortcut", "--workers=4", "--node-name=n1", "--register=10.96.0.10,fd00::a", "--kubeconfig=/k"),
    {
      shortcut: false,
      register: ["10.96.0.10", "fd00::a"],
      workers: 4,
      nodeName: "n1",
      kubeconfig: "/k",
      logLevel: "info",
    },
  );
});

const WRONG: [argument: string, said: RegExp][] = [
  ["--listen=127.0.0.1", /--listen: "127\.0\.0\.1" is not ADDR:PORT/],
  ["--listen=::1:53", /--listen: "::1:53" is not ADDR:PORT/],
  ["--listen=localhost:53", /is not ADDR:PORT/],
  ["--listen=127.0.0.1:99999", /is not ADDR:PORT/],
  ["--upstream=dns.example", /--upstream: .*"dns\.example" is not IP/],
  ["--stub-domain=acme.local", /--stub-domain: "acme\.local" is not ZONE=ADDR/],
  ["--stub-domain=a..b=192.0.2.1", /"a\.\.b" is not a DNS name/],
  ["--cluster-domain=-a", /"-a" is not a DNS name/],
  ["--ttl=3601", /--ttl: "3601" is not a number of seconds from 0 to 3600/],
  ["--pods=all", /--pods: "all" is not one of disabled, insecure, verified/],
  ["--metrics-bind-address=9153", /--metrics-bind-address: "9153" is not ADDR:PORT/],
  ["--workers=0", /--workers: "0" is not a number of threads/],
  ["--register=kube-dns", /--register: "kube-dns" is not the cluster address/],
  ["--log-level=loud", /--log-level: "loud" is not one of/],
];
for (const [argument, said] of WRONG) {
  void test(`${argument} is refused`, () => {
    throws(() => {
      run(argument);
      configured(argument);
    }, said);
  });
}

void test("beside a Corefile what it says itself is refused by name", () => {
  throws(
    () => run("--corefile=/f", "--ttl=5", "--listen=:53"),
    (error: Error) => {
      match(error.message, /--corefile says that already: leave out --listen, --ttl/);
      return true;
    },
  );
  equal(run("--corefile=/f", "--workers=2").corefile, "/f");
});
