import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../running.ts";
import { slice } from "../testns.ts";
import { beside, type Ground, type Side } from "./beside.ts";
import { openCluster } from "./cluster.ts";
import { LEDGER } from "./objects.ts";
import { askWhole, type Whole } from "./whole-answer.ts";

/** A line of `/metrics`: name, labels, value. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

async function samplesOf({ metrics }: Side): Promise<Sample[]> {
  const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  return text.split("\n").flatMap((line): Sample[] => {
    const [, name, labels = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || !/^(coredns|fairlead)_/.test(name)) return [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key!, text!] as const);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

/** The names of all labels, by the name of the metric; a bucket's `le` is no label of anybody's. */
const labelsByName = (samples: readonly Sample[]): Map<string, string> =>
  new Map(
    samples.map(({ name, labels }) => [
      name,
      Object.keys(labels)
        .filter((label) => label !== "le")
        .toSorted()
        .join(),
    ]),
  );

/** Values of one metric by its labels, without what is another one at each side, and without those left out: their values are added up. */
function valuesOf(samples: readonly Sample[], name: string, left: readonly string[] = []): Record<string, number> {
  const values: Record<string, number> = {};
  for (const sample of samples) {
    if (sample.name !== name) continue;
    const kept = Object.entries(sample.labels).filter(([label]) => !["server", "to", ...left].includes(label));
    const labels = JSON.stringify(Object.fromEntries(kept.toSorted(([one], [other]) => (one < other ? -1 : 1))));
    values[labels] = (values[labels] ?? 0) + sample.value;
  }
  return values;
}

const corefile =
  (kubeconfig: string) =>
  ({ port, world, metrics }: Ground): string =>
    `
.:${port} {
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 30
    fallthrough in-addr.arpa ip6.arpa
  }
  hosts {
    192.0.2.1 one.hosts.test
    fallthrough
  }
  forward . ${world}
  cache 30
  loadbalance
  prometheus 127.0.0.1:${metrics}
}
stub.test:${port} {
  forward . ${world}
  prometheus 127.0.0.1:${metrics}
}
`;

const SVC = "testns.svc.cluster.local";
/** Names of the cluster once each, as CoreDNS's cache holds them too; names outside again and again. */
const LOAD: readonly Whole[] = [
  ...["A", "AAAA", "SRV", "TXT", "MX", "SOA", "NS", "CNAME", "ANY", "HINFO"].map((type): Whole => ({
    name: `svc1.${SVC}`,
    type: type as "A",
  })),
  { name: `svc0.${SVC}` },
  { name: `svc0.${SVC}`, type: "AAAA", edns: 1232, do: true },
  { name: "1.0.0.10.in-addr.arpa", type: "PTR" },
  { name: "9.9.9.9.in-addr.arpa", type: "PTR", tcp: true },
  { name: "one.hosts.test" },
  ...["plain", "alias", "nx", "nodata", "fail", "plain"].flatMap((label) =>
    Array.from({ length: 3 }, (): Whole => ({ name: `${label}.example.test`, edns: 1232 })),
  ),
  ...["plain", "nx", "fail", "refused"].map((label): Whole => ({ name: `${label}.stub.test` })),
  { name: "plain.example.test", tcp: true },
  { name: "plain.example.test", edns: 1232, do: true },
];

/** What of CoreDNS's is not told here, and why. */
const NOT_OURS: Readonly<Record<string, string>> = {
  coredns_health_request_: "how long a server takes to ask itself whether it lives",
  coredns_kubernetes_rest_client_: "figures of the client library that CoreDNS is built with",
  coredns_local_: "of a plugin that answers names below localhost",
};

/** Every name that somebody's dashboards and alerts may hold (DNS-133), with its labels, after the load. */
const WANTED: Readonly<Record<string, string>> = {
  coredns_build_info: "goversion,revision,version",
  coredns_cache_entries: "server,type,view,zones",
  coredns_cache_evictions_total: "server,type,view,zones",
  coredns_cache_hits_total: "server,type,view,zones",
  coredns_cache_misses_total: "server,view,zones",
  coredns_cache_requests_total: "server,view,zones",
  coredns_dns_do_requests_total: "server,view,zone",
  coredns_dns_request_duration_seconds_bucket: "server,view,zone",
  coredns_dns_request_size_bytes_count: "proto,server,view,zone",
  coredns_dns_requests_total: "family,proto,server,type,view,zone",
  coredns_dns_response_size_bytes_count: "proto,server,view,zone",
  coredns_dns_responses_total: "plugin,rcode,server,view,zone",
  coredns_forward_healthcheck_broken_total: "",
  coredns_forward_max_concurrent_rejects_total: "",
  coredns_hosts_entries: "hostsfile",
  coredns_kubernetes_dns_programming_duration_seconds_count: "service_kind",
  coredns_panics_total: "",
  coredns_plugin_enabled: "name,server,view,zone",
  coredns_proxy_conn_cache_hits_total: "proto,proxy_name,to",
  coredns_proxy_conn_cache_misses_total: "proto,proxy_name,to",
  coredns_proxy_healthcheck_failures_total: "proxy_name,to",
  coredns_proxy_request_duration_seconds_count: "proxy_name,rcode,to",
  fairlead_dns_view_age_seconds: "",
};

const PROGRAMMING = "coredns_kubernetes_dns_programming_duration_seconds";

test("DNS-133: metrics have CoreDNS's names, labels and counts after the same load", async (t) => {
  const cluster = await openCluster();
  t.after(() => cluster.close());
  await cluster.write(LEDGER);
  const { ours, theirs } = await beside(t, corefile(cluster.kubeconfig));
  const sides = [ours, ...(theirs === undefined ? [] : [theirs])];
  const isAnswered = async (side: Side, name: string): Promise<true | undefined> =>
    (await askWhole(side.port, { name })).rcode === "NOERROR" || undefined;
  for (const side of sides) await eventually("names of the cluster", () => isAnswered(side, `hdls1.${SVC}`));

  const before = new Map(await Promise.all(sides.map(async (side) => [side, await samplesOf(side)] as const)));
  for (const whole of LOAD) for (const side of sides) await askWhole(side.port, whole);
  const grown = async (side: Side, name: string, left: readonly string[] = []): Promise<Record<string, number>> => {
    const [was, is] = [valuesOf(before.get(side)!, name, left), valuesOf(await samplesOf(side), name, left)];
    return Object.fromEntries(
      Object.entries(is).flatMap(([labels, value]) => {
        const more = value - (was[labels] ?? 0);
        return more === 0 ? [] : [[labels, more]];
      }),
    );
  };

  const requests = await grown(ours, "coredns_dns_requests_total");
  assert.equal(
    Object.values(requests).reduce((sum, value) => sum + value, 0),
    LOAD.length,
  );
  if (theirs !== undefined) {
    for (const [name, ...left] of [
      ["coredns_dns_requests_total"],
      // Who answered is told here; CoreDNS names its outermost plugin for most.
      ["coredns_dns_responses_total", "plugin"],
      ["coredns_dns_do_requests_total"],
      ["coredns_dns_request_duration_seconds_count"],
      ["coredns_dns_request_size_bytes_count"],
      ["coredns_dns_request_size_bytes_sum"],
      ["coredns_dns_response_size_bytes_count"],
      ["coredns_cache_hits_total"],
      ["coredns_proxy_request_duration_seconds_count"],
      ["coredns_hosts_entries"],
    ] as const) {
      assert.deepEqual(await grown(ours, name, left), await grown(theirs, name, left), name);
    }
  }

  // A change that the controller has dated; the Service was there before.
  const changed = slice("hdls1", ["172.0.9.9"]);
  const annotations = { "endpoints.kubernetes.io/last-change-trigger-time": new Date(Date.now() - 1000).toISOString() };
  const labels = { ...changed.metadata.labels, "service.kubernetes.io/headless": "" };
  await cluster.write({
    slices: [{ ...changed, metadata: { ...changed.metadata, name: "hdls1-dated", labels, annotations } }],
  });
  for (const side of sides) {
    await eventually("the dated change to be counted", async () => {
      const found = valuesOf(await samplesOf(side), `${PROGRAMMING}_count`);
      return found['{"service_kind":"headless_with_selector"}'] === 1 || undefined;
    });
  }

  // Over connections that are there already: how many differs, as each has its own ways to a resolver.
  for (let turn = 0; turn < 4; turn += 1) {
    for (const side of sides) await askWhole(side.port, { name: `big${turn}.stub.test`, tcp: true });
  }

  const told = labelsByName(await samplesOf(ours));
  assert.deepEqual(Object.fromEntries(Object.keys(WANTED).map((name) => [name, told.get(name)])), WANTED);
  const [age] = (await samplesOf(ours)).filter(({ name }) => name === "fairlead_dns_view_age_seconds");
  assert.ok(age!.value >= 0 && age!.value < 60, `${age!.value}`);
  if (theirs === undefined) return;
  const missing = [...labelsByName(await samplesOf(theirs))].filter(
    ([name, labels]) => told.get(name) !== labels && !Object.keys(NOT_OURS).some((prefix) => name.startsWith(prefix)),
  );
  assert.deepEqual(missing, []);
});
