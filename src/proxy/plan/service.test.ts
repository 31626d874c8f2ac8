import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { ServiceSpec } from "../../api/generated/types.ts";
import { at, balanced, ends, here, planOf, slice, there, waysIn, web } from "../../../test/proxy/plan-examples.ts";

// §1, §3, §4 and what of later chapters the plan decides: how Services are called, and what becomes of it.

const DUAL: Partial<ServiceSpec> = { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1", "fd00::1"] };
const six = slice([{ addresses: ["fd00:244::6"] }], "web-6", { addressType: "IPv6" });

test("PRX-005, PRX-277, CTL-100: Services of an external name, without an address or headless have no plan", () => {
  const endpoints = [slice([at(1)])];
  equal(planOf(web({ type: "ExternalName" }), endpoints), undefined);
  equal(planOf(web({ type: "ExternalName", clusterIP: "10.96.0.1" }), endpoints), undefined);
  equal(planOf(web({ clusterIP: "None", clusterIPs: ["None"] }), endpoints), undefined);
  equal(planOf(web({ clusterIP: "", clusterIPs: [] }), endpoints), undefined);
});

test("PRX-277: a Service that nobody made endpoints for refuses", () => {
  equal(ends(planOf(web())?.ports[0]?.internal), "reject");
});

test("PRX-105: a headless Service has no affinity, since it has no plan", () => {
  equal(planOf(web({ clusterIP: "None", clusterIPs: ["None"], sessionAffinity: "ClientIP" })), undefined);
  const [port] = planOf(web({ sessionAffinity: "ClientIP" }))!.ports;
  equal(port?.affinitySeconds, 10_800);
});

test("PRX-006: a Service is carried in each family that it has a clusterIP of, and a node of both carries it twice", () => {
  const both = planOf(web(DUAL), [slice([at(1)]), six], { families: ["IPv4", "IPv6"] });
  deepEqual(
    both?.ports.map(({ family, cluster }) => `${family} ${ends(cluster)}`),
    ["IPv4 1", "IPv6 6"],
  );
  deepEqual(both?.clusterIPs, ["10.96.0.1", "fd00::1"]);
  const one = planOf(web(), [slice([at(1)]), six], { families: ["IPv4", "IPv6"] });
  deepEqual(
    one?.ports.map(({ family }) => family),
    ["IPv4"],
  );
});

test("PRX-258: a change of the Service comes to both families at once, and one of an endpoint to its own", () => {
  const both = (spec: Partial<ServiceSpec>, four: number): string[] | undefined =>
    planOf(web({ ...DUAL, ...spec }), [slice([at(four)]), six], { families: ["IPv4", "IPv6"] })?.ports.map(
      ({ family, cluster, affinitySeconds }) => `${family} ${ends(cluster)} ${affinitySeconds}`,
    );
  deepEqual(both({}, 1), ["IPv4 1 undefined", "IPv6 6 undefined"]);
  deepEqual(both({}, 2), ["IPv4 2 undefined", "IPv6 6 undefined"]);
  deepEqual(both({ sessionAffinity: "ClientIP" }, 1), ["IPv4 1 10800", "IPv6 6 10800"]);
});

test("PRX-262: a node of one family carries that alone, whatever addresses the Service has", () => {
  for (const family of ["IPv4", "IPv6"] as const) {
    const plan = planOf(web({ ...DUAL, externalIPs: ["203.0.113.1", "2001:db8::1"] }), [slice([at(1)]), six], {
      families: [family],
    });
    deepEqual(
      plan?.ports.map((port) => port.family),
      [family],
    );
    deepEqual(plan?.clusterIPs, [family === "IPv4" ? "10.96.0.1" : "fd00::1"]);
  }
});

test("PRX-042: an address is called in its own family alone", () => {
  const service = balanced([{ ip: "203.0.113.2" }, { ip: "2001:db8::2" }], {
    ...DUAL,
    externalIPs: ["203.0.113.1", "2001:db8::1"],
  });
  const plan = planOf(service, [], { families: ["IPv4", "IPv6"] });
  deepEqual(waysIn(plan, 0), ["cluster 10.96.0.1 80", "loadBalancer 203.0.113.2 80", "external 203.0.113.1 80"]);
  deepEqual(waysIn(plan, 1), ["cluster fd00::1 80", "loadBalancer 2001:db8::2 80", "external 2001:db8::1 80"]);
});

test("PRX-041: host names and addresses proxied elsewhere are not called here; no mode is VIP", () => {
  const ingress = [
    { hostname: "lb.example" },
    { ip: "203.0.113.1", ipMode: "Proxy" },
    { ip: "203.0.113.2" },
    { ip: "203.0.113.3", ipMode: "VIP" },
  ];
  deepEqual(waysIn(planOf(balanced(ingress))), [
    "cluster 10.96.0.1 80",
    "loadBalancer 203.0.113.2 80",
    "loadBalancer 203.0.113.3 80",
  ]);
});

test("PRX-007, PRX-008: ports are joined by name and protocol, and those that are by half are passed over", () => {
  const named = (ports: object[], more: object = {}): string => {
    const port = planOf(web(), [slice([at(1)], "web-1", { ports, ...more })])?.ports[0];
    return port?.cluster.to === "targets"
      ? port.cluster.targets.map((target) => target.port).join()
      : ends(port?.cluster);
  };
  equal(named([{ name: "http", port: 9, protocol: "TCP" }]), "9");
  equal(named([{ name: "http", port: 9 }]), "9");
  equal(named([{ name: "other", port: 80 }]), "reject");
  equal(named([{ name: "http", port: 80, protocol: "UDP" }]), "reject");
  equal(named([{ name: "http" }]), "reject");
  equal(named([{ name: "http", port: 0 }]), "reject");
  equal(named([{ port: 80 }]), "reject");
  equal(named([{ name: "http", port: 80 }], { addressType: "FQDN" }), "reject");
  equal(named([{ name: "http", port: 80 }], { addressType: "IPv6" }), "reject");
});

test("PRX-007: a port without a name is joined by the empty one, and each port has an id of its own", () => {
  const ports = [
    { port: 53, protocol: "UDP" },
    { port: 53, name: "tcp", protocol: "TCP" },
  ];
  const unnamed = slice([at(1)], "web-1", { ports: [{ name: "", port: 5353, protocol: "UDP" }] });
  const plan = planOf(web({ ports }), [unnamed]);
  deepEqual(
    plan?.ports.map(({ id, cluster }) => `${id} ${ends(cluster)}`),
    ["default/web:/UDP 1", "default/web:tcp/TCP reject"],
  );
});

test("PRX-009: a slice without the label, or of another namespace, is nobody's", () => {
  const metadata = { name: "x", namespace: "default", labels: { "kubernetes.io/service-name": "web" } };
  const ofWeb = (more: object): string =>
    ends(planOf(web(), [slice([at(1)], "x", { metadata: { ...metadata, ...more } })])?.ports[0]?.cluster);
  equal(ofWeb({}), "1");
  equal(ofWeb({ labels: {} }), "reject");
  equal(ofWeb({ labels: { "kubernetes.io/service-name": "" } }), "reject");
  equal(ofWeb({ namespace: "elsewhere" }), "reject");
});

test("PRX-274: a named target port that is another number on other pods is one Service port with both", () => {
  const of = (port: number): object => ({ ports: [{ name: "http", port, protocol: "TCP" }] });
  const plan = planOf(web(), [slice([at(1), at(2)], "web-1", of(8080)), slice([at(3)], "web-2", of(9090))]);
  const destination = plan?.ports[0]?.cluster;
  deepEqual(destination?.to === "targets" && destination.targets.map(({ ip, port }) => `${ip}:${port}`), [
    "10.244.0.1:8080",
    "10.244.0.2:8080",
    "10.244.0.3:9090",
  ]);
});

const POLICIES = ["Cluster", "Local"] as const;
test("PRX-035, PRX-036, PRX-037: each policy governs its own ways in and no other", () => {
  for (const internalTrafficPolicy of POLICIES) {
    for (const externalTrafficPolicy of POLICIES) {
      const service = web({ type: "NodePort", internalTrafficPolicy, externalTrafficPolicy });
      const [port] = planOf(service, [slice([here(1), there(2)])])!.ports;
      const list = { Cluster: "1 2", Local: "1" };
      equal(ends(port!.internal), list[internalTrafficPolicy]);
      equal(ends(port!.external), list[externalTrafficPolicy]);
      equal(ends(port!.cluster), "1 2");
    }
  }
});

test("PRX-045: without a usable endpoint anywhere every way in refuses, whatever the policies", () => {
  for (const policy of POLICIES) {
    const service = web({ type: "NodePort", internalTrafficPolicy: policy, externalTrafficPolicy: policy });
    const [port] = planOf(service, [slice([here(1, "unready"), there(2, "gone")])])!.ports;
    deepEqual([port!.internal, port!.external, port!.cluster].map(ends), ["reject", "reject", "reject"]);
  }
});

test("PRX-046, PRX-047: where all endpoints are elsewhere Local is silence, and the other way in works", () => {
  const far = [slice([there(1)])];
  const [outside] = planOf(web({ type: "NodePort", externalTrafficPolicy: "Local" }), far)!.ports;
  deepEqual([outside!.internal, outside!.external, outside!.cluster].map(ends), ["1", "drop", "1"]);
  const [inside] = planOf(web({ type: "NodePort", internalTrafficPolicy: "Local" }), far)!.ports;
  deepEqual([inside!.internal, inside!.external, inside!.cluster].map(ends), ["drop", "1", "1"]);
  // One elsewhere that leaves is still one.
  const [leaving] = planOf(web({ internalTrafficPolicy: "Local" }), [slice([there(1, "leaving")])])!.ports;
  equal(ends(leaving!.internal), "drop");
});

test("PRX-086: a load balancer without node ports is called at its address all the same", () => {
  const service = balanced([{ ip: "203.0.113.2" }], { allocateLoadBalancerNodePorts: false });
  const plan = planOf(service);
  equal(plan?.ports[0]?.nodePort, undefined);
  deepEqual(waysIn(plan), ["cluster 10.96.0.1 80", "loadBalancer 203.0.113.2 80"]);
});

test("PRX-087: TCP and UDP may have one node port for different ports of a Service", () => {
  const ports = [
    { name: "t", port: 80, protocol: "TCP", nodePort: 30_080 },
    { name: "u", port: 81, protocol: "UDP", nodePort: 30_080 },
  ];
  deepEqual(
    planOf(web({ type: "NodePort", ports }))?.ports.map(({ nodePort }) => nodePort),
    [30_080, 30_080],
  );
});

test("PRX-107: a health check port is wanted by load balancers of policy Local that have one", () => {
  const port = (spec: Partial<ServiceSpec>): number | undefined => planOf(web(spec))?.healthCheckNodePort;
  const asked = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 32_000 } as const;
  equal(port(asked), 32_000);
  equal(port({ ...asked, externalTrafficPolicy: "Cluster" }), undefined);
  equal(port({ ...asked, type: "NodePort" }), undefined);
  equal(port({ ...asked, healthCheckNodePort: 0 }), undefined);
});

test("PRX-111: what a health check counts are the addresses of ready endpoints here, each once", () => {
  const ports = [
    { name: "http", port: 80, protocol: "TCP" },
    { name: "more", port: 81, protocol: "TCP" },
  ];
  const endpoints = [here(1), here(2), here(3, "leaving"), here(4, "unready"), there(5)];
  const plan = planOf(web({ ports }), [
    slice(endpoints, "web-1", { ports: ports.map((port) => ({ ...port, port: port.port + 8000 })) }),
  ]);
  deepEqual(plan?.localReady, ["10.244.0.1", "10.244.0.2"]);
});

const filtered = (sources: string[], family: "IPv4" | "IPv6" = "IPv4", spec: Partial<ServiceSpec> = {}) =>
  planOf(balanced([{ ip: "203.0.113.2" }], { ...DUAL, ...spec, loadBalancerSourceRanges: sources }), [], {
    families: [family],
  });

test("PRX-088: source ranges are trimmed and of their own family, and a range of everybody is no filter in its family", () => {
  const of = (sources: string[], family?: "IPv6") => filtered(sources, family)?.ports[0]?.sourceRanges;
  deepEqual(of([" 10.0.0.0/8 ", "fd00::/8"]), ["10.0.0.0/8"]);
  deepEqual(of([" 10.0.0.0/8 ", "fd00::/8"], "IPv6"), ["fd00::/8"]);
  equal(of(["10.0.0.0/8", "0.0.0.0/0", "fd00::/8"]), undefined);
  deepEqual(of(["10.0.0.0/8", "0.0.0.0/0", "fd00::/8"], "IPv6"), ["fd00::/8"]);
  equal(of(["10.0.0.0/8", "::/0"], "IPv6"), undefined);
  deepEqual(of(["10.0.0.0/8", "::/0"]), ["10.0.0.0/8"]);
  deepEqual(of(["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8", "192.0.2.0/24"]), ["10.0.0.0/8", "192.0.2.0/24"]);
  deepEqual(of(["010.0.0.1/8"]), ["10.0.0.0/8"]);
});

test("PRX-089: where no range of a family is left there is no filter", () => {
  equal(filtered(["fd00::/8"])?.ports[0]?.sourceRanges, undefined);
  equal(filtered([])?.ports[0]?.sourceRanges, undefined);
});

test("PRX-095: the annotation of source ranges says nothing to a proxy", () => {
  const annotations = { "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8" };
  const plan = planOf(balanced([{ ip: "203.0.113.2" }], {}, { annotations }));
  equal(plan?.ports[0]?.sourceRanges, undefined);
});
