import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import * as packets from "dns-packet";
import { endpointSlices } from "../../src/api/resources.ts";
import { createFigures } from "../../src/dns/figures/figures.ts";
import { silentLog } from "../../src/observe/log.ts";
import { ask, eventually, framed, overTcp, overUdp, running, type Settings } from "./running.ts";
import { slice } from "./testns.ts";

const SVC = "testns.svc.cluster.local";
const ZONE = 'server="dns://:0",zone=".",view=""';

async function counted(t: TestContext, settings: Settings = {}) {
  const figures = createFigures({ version: "1.2.3", log: silentLog });
  const server = await running(t, { ...settings, options: { ...settings.options, figures } });
  await server.dns.synced();
  return {
    ...server,
    figures,
    /** The value of one line, by its name and labels; undefined when there is none. */
    value: async (line: string): Promise<number | undefined> => {
      const found = (await figures.text()).split("\n").find((each) => each.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length + 1));
    },
  };
}

void describe("metrics under CoreDNS's names", () => {
  void test("DNS-133: queries and answers by zone, protocol, family, type and code", async (t) => {
    const { port, value } = await counted(t);
    for (let turn = 0; turn < 3; turn += 1) await overUdp(port, ask(`svc1.${SVC}`, "A", turn));
    await overUdp(port, ask(`svc0.${SVC}`, "TXT"));
    await overUdp(port, ask(`svc1.${SVC}`, "HINFO"));
    await overTcp(port, [framed(ask(`svc1.${SVC}`, "AAAA"))], 1);
    await overUdp(port, ask("example.com"));
    const want = {
      [`coredns_dns_requests_total{${ZONE},proto="udp",family="1",type="A"}`]: 4,
      [`coredns_dns_requests_total{${ZONE},proto="udp",family="1",type="TXT"}`]: 1,
      [`coredns_dns_requests_total{${ZONE},proto="udp",family="1",type="other"}`]: 1,
      [`coredns_dns_requests_total{${ZONE},proto="tcp",family="1",type="AAAA"}`]: 1,
      [`coredns_dns_responses_total{${ZONE},rcode="NOERROR",plugin="kubernetes"}`]: 5,
      [`coredns_dns_responses_total{${ZONE},rcode="NXDOMAIN",plugin="kubernetes"}`]: 1,
      [`coredns_dns_responses_total{${ZONE},rcode="REFUSED",plugin=""}`]: 1,
      [`coredns_dns_request_duration_seconds_count{${ZONE}}`]: 7,
      [`coredns_dns_request_duration_seconds_bucket{${ZONE},le="8.192"}`]: 7,
      [`coredns_dns_request_size_bytes_count{${ZONE},proto="udp"}`]: 6,
      [`coredns_dns_request_size_bytes_bucket{${ZONE},proto="udp",le="100"}`]: 6,
      [`coredns_dns_response_size_bytes_count{${ZONE},proto="tcp"}`]: 1,
      'coredns_build_info{version="1.2.3",revision="",goversion=""}': 1,
      [`coredns_plugin_enabled{${ZONE},name="kubernetes"}`]: 1,
      'fairlead_dns_ready_answers{server="dns://:0"}': 4,
      'fairlead_dns_ready_hits_total{server="dns://:0"}': 2,
      coredns_panics_total: 0,
    };
    for (const [line, number] of Object.entries(want)) assert.equal(await value(line), number, line);
    const sum = await value(`coredns_dns_request_size_bytes_sum{${ZONE},proto="tcp"}`);
    assert.equal(sum, ask(`svc1.${SVC}`, "AAAA").length);
  });

  void test("DNS-133: what no zone is asked for counts as dropped; queries that want DNSSEC are counted", async (t) => {
    const { port, value } = await counted(t);
    const opt = (version: number): packets.Answer => ({
      type: "OPT",
      name: ".",
      udpPayloadSize: 1232,
      extendedRcode: 0,
      ednsVersion: version,
      flags: 0x8000,
      flag_do: true,
      options: [],
    });
    const query = (version: number): Buffer =>
      packets.encode({
        type: "query",
        id: 1,
        questions: [{ name: `svc1.${SVC}`, type: "A" }],
        additionals: [opt(version)],
      });
    await overUdp(port, query(0));
    await overUdp(port, query(1));
    const dropped = 'server="dns://:0",zone="dropped",view=""';
    assert.equal(await value(`coredns_dns_do_requests_total{${ZONE}}`), 1);
    assert.equal(await value(`coredns_dns_responses_total{${dropped},rcode="BADVERS",plugin=""}`), 1);
  });

  void test("DNS-133: dns_programming_duration_seconds runs from the trigger time on a slice, by the kind of its Service", async (t) => {
    const { objects, value, port } = await counted(t);
    const name = "coredns_kubernetes_dns_programming_duration_seconds";
    assert.equal(await value(`${name}_count{service_kind="headless_with_selector"}`), undefined);
    const put = (of: string, annotation: string | undefined, address: string): void => {
      const made = slice(of, [address]);
      const annotations =
        annotation === undefined ? {} : { "endpoints.kubernetes.io/last-change-trigger-time": annotation };
      objects.put(endpointSlices, { ...made, metadata: { ...made.metadata, name: `${of}-new`, annotations } });
    };
    const before = new Date(Date.now() - 3000).toISOString();
    put("hdlsunready", before, "172.0.0.70");
    put("svcempty", before, "172.0.0.71");
    put("hdls4", undefined, "172.0.0.72");
    put("nginx", "yesterday", "172.0.0.73");
    put("nobody", before, "172.0.0.74");
    await eventually("the last slice", async () => {
      const reply = packets.decode((await overUdp(port, ask(`172-0-0-73.nginx.${SVC}`)))!);
      return (reply.answers?.length ?? 0) > 0 ? true : undefined;
    });
    assert.equal(await value(`${name}_count{service_kind="headless_with_selector"}`), 1);
    assert.equal(await value(`${name}_count{service_kind="cluster_ip"}`), 1);
    assert.equal(await value(`${name}_bucket{service_kind="cluster_ip",le="2.048"}`), 0);
    const sum = (await value(`${name}_sum{service_kind="cluster_ip"}`))!;
    assert.ok(sum >= 3 && sum < 60, `${sum}`);
  });

  void test("DNS-133: a cache and resolvers have figures by CoreDNS's names", async () => {
    const figures = createFigures({ version: "1", log: silentLog });
    const cache = figures.outside.cache("dns://:53", ".");
    cache.requests.value = 5;
    cache.success.hits.value = 3;
    cache.denial.entries.value = 2;
    const upstream = figures.outside.upstream("192.0.2.1:53");
    upstream.answered(0, 0.002);
    upstream.connection("udp", false);
    const text = await figures.text();
    for (const line of [
      'coredns_cache_requests_total{server="dns://:53",zones=".",view=""} 5',
      'coredns_cache_hits_total{server="dns://:53",type="success",zones=".",view=""} 3',
      'coredns_cache_entries{server="dns://:53",type="denial",zones=".",view=""} 2',
      'coredns_proxy_request_duration_seconds_count{proxy_name="forward",to="192.0.2.1:53",rcode="NOERROR"} 1',
      'coredns_proxy_conn_cache_misses_total{proxy_name="forward",to="192.0.2.1:53",proto="udp"} 1',
      "coredns_forward_max_concurrent_rejects_total 0",
      "# TYPE coredns_hosts_reload_timestamp_seconds gauge",
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} is missing in\n${text}`);
    }
  });
});
