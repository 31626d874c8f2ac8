import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { ServicePlan } from "./plan.ts";
import { Tracker } from "./tracker.ts";

const tracker = (zone?: string): Tracker => new Tracker({ nodeName: "n1", zone, families: ["IPv4"] });

const web = (spec: Partial<ServiceSpec> = {}, name = "web", created = "2026-01-01T00:00:00Z"): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default", creationTimestamp: created },
  spec: { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ name: "http", port: 80 }], ...spec },
});

const slice = (endpoints: readonly Endpoint[], name = "web-1", more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: [...endpoints],
  ...more,
});

const at = (number: number, more: Partial<Endpoint> = {}): Endpoint => ({ addresses: [`10.244.0.${number}`], ...more });
const ready = { ready: true, serving: true, terminating: false };
const unready = { ready: false, serving: false, terminating: false };
const leaving = { ready: false, serving: true, terminating: true };
const gone = { ready: false, serving: false, terminating: true };

function plan(service: Service, ...slices: EndpointSlice[]): ServicePlan | undefined {
  const one = tracker();
  one.setService(keyOf(service), service);
  for (const part of slices) one.setSlice(keyOf(part), part);
  return one.replan().get("default/web");
}
const cluster = (found: ServicePlan | undefined): string[] | string => {
  const destination = found?.ports[0]?.cluster;
  if (destination?.to !== "targets") return destination?.to ?? "nothing";
  return destination.targets.map(({ ip, port, local }) => `${ip}:${port}${local ? " local" : ""}`);
};

for (const [name, endpoints, expected] of [
  ["PRX-011, SVC-248: what is not said counts as ready", [at(1)], ["10.244.0.1:8080"]],
  [
    "PRX-012: local is the same node name",
    [at(1, { nodeName: "n1" }), at(2, { nodeName: "N1" })],
    ["10.244.0.1:8080 local", "10.244.0.2:8080"],
  ],
  [
    "PRX-010, SVC-242: only the first address, and none without",
    [{ addresses: ["10.244.0.1", "10.244.0.9"] }, { addresses: [] }],
    ["10.244.0.1:8080"],
  ],
  ["PRX-013: the same address twice counts once", [at(1), at(1)], ["10.244.0.1:8080"]],
  ["PRX-022: an unready endpoint is never used", [at(1, { conditions: unready })], "reject"],
  [
    "PRX-020: terminating ones that serve stand in when none is ready",
    [at(1, { conditions: leaving }), at(2, { conditions: unready })],
    ["10.244.0.1:8080"],
  ],
  ["PRX-023: terminating ones that do not serve are never used", [at(1, { conditions: gone })], "reject"],
  [
    "PRX-025: one ready endpoint shadows terminating ones",
    [at(1, { conditions: leaving }), at(2, { conditions: ready })],
    ["10.244.0.2:8080"],
  ],
  ["PRX-045: no endpoint at all refuses", [], "reject"],
] as const satisfies readonly (readonly [string, readonly Endpoint[], readonly string[] | string])[]) {
  test(name, () => deepEqual(cluster(plan(web(), slice(endpoints))), expected));
}

test("a slice of an earlier Service of the same name leads nowhere", () => {
  const owned = (uid: string): Partial<EndpointSlice> => ({
    metadata: {
      name: `web-${uid}`,
      namespace: "default",
      labels: { "kubernetes.io/service-name": "web" },
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "web", uid, controller: true }],
    },
  });
  const service = web();
  const found = plan(
    { ...service, metadata: { ...service.metadata, uid: "new" } },
    slice([at(1)], "", owned("old")),
    slice([at(2)], "", owned("new")),
    slice([at(3)], "by-hand"),
  );
  deepEqual(cluster(found), ["10.244.0.2:8080", "10.244.0.3:8080"]);
});

test("PRX-013: a ready duplicate in another slice replaces a terminating one", () => {
  const found = plan(web(), slice([at(1, { conditions: leaving })]), slice([at(1, { conditions: ready })], "web-2"));
  deepEqual(cluster(found), ["10.244.0.1:8080"]);
});

test("PRX-007, PRX-008: ports join by name and protocol, and incomplete or foreign slices are passed over", () => {
  const named = (ports: EndpointSlice["ports"], more: Partial<EndpointSlice> = {}) =>
    cluster(plan(web(), slice([at(1)], "web-1", { ports, ...more })));
  deepEqual(named([{ name: "http", port: 9 }]), ["10.244.0.1:9"]);
  equal(named([{ name: "other", port: 80 }]), "reject");
  equal(named([{ name: "http", port: 80, protocol: "UDP" }]), "reject");
  equal(named([{ name: "http" }]), "reject");
  equal(named([{ port: 80 }]), "reject");
  equal(named([{ name: "http", port: 80 }], { addressType: "FQDN" }), "reject");
});

test("PRX-005, PRX-277, CTL-100: ExternalName, headless and addressless Services have no plan", () => {
  equal(plan(web({ type: "ExternalName" })), undefined);
  equal(plan(web({ clusterIP: "None", clusterIPs: ["None"] })), undefined);
  equal(plan(web({ clusterIP: "", clusterIPs: [] })), undefined);
});

test("PRX-045, CTL-096: a Service nobody made endpoints for refuses, until somebody does", () => {
  const one = tracker();
  one.setService("default/web", web());
  deepEqual(cluster(one.replan().get("default/web")), "reject");
  one.setSlice("default/web-1", slice([at(1)]));
  deepEqual(cluster(one.replan().get("default/web")), ["10.244.0.1:8080"]);
});

test("CTL-045, CTL-094, CTL-097: slices are used together whoever made them, when they say the Service and its port", () => {
  const made = (by: string | undefined, service = "web"): Partial<EndpointSlice> => ({
    metadata: {
      name: `${service}-of-${by}`,
      namespace: "default",
      labels: {
        "kubernetes.io/service-name": service,
        ...(by === undefined ? {} : { "endpointslice.kubernetes.io/managed-by": by }),
      },
      ownerReferences:
        by === "endpointslicemirroring-controller.k8s.io"
          ? [{ apiVersion: "v1", kind: "Endpoints", name: "web", uid: "endpoints-1", controller: true }]
          : undefined,
    },
  });
  const all = [
    slice([at(1)], "", made("endpointslice-controller.k8s.io")),
    slice([at(2)], "", made("endpointslicemirroring-controller.k8s.io")),
    slice([at(3)], "", made("people.example.com")),
    slice([at(4)], "", made(undefined)),
    slice([at(5)], "", made("people.example.com", "other")),
    slice([at(6)], "unlabelled", { metadata: { name: "unlabelled", namespace: "default" } }),
    slice([at(7)], "misnamed", { ports: [{ name: "https", port: 8080, protocol: "TCP" }] }),
  ];
  deepEqual(
    cluster(plan(web(), ...all)),
    [1, 2, 3, 4].map((number) => `10.244.0.${number}:8080`),
  );
  const unnamed = slice([at(8)], "unnamed", { ports: [{ name: "", port: 9, protocol: "TCP" }] });
  deepEqual(cluster(plan(web({ ports: [{ port: 80 }] }), ...all, unnamed)), ["10.244.0.8:9"]);
});

test("PRX-021, PRX-046: the Local list falls back to terminating endpoints by itself, else it is silence", () => {
  const far = at(1, { conditions: ready, nodeName: "n2" });
  const local = at(2, { conditions: leaving, nodeName: "n1" });
  const policies = { externalTrafficPolicy: "Local", internalTrafficPolicy: "Local" };
  const [both] = plan(web(policies), slice([far, local]))!.ports;
  deepEqual(both!.external, { to: "targets", targets: [{ ip: "10.244.0.2", port: 8080, local: true, weight: 1 }] });
  deepEqual(both!.internal, both!.external);
  deepEqual(both!.cluster, { to: "targets", targets: [{ ip: "10.244.0.1", port: 8080, local: false, weight: 1 }] });
  const [none] = plan(web(policies), slice([far]))!.ports;
  deepEqual([none!.external.to, none!.internal.to, none!.cluster.to], ["drop", "drop", "targets"]);
});

test("PRX-030 … PRX-032: hints hold only when every ready endpoint has one", () => {
  const hinted = (number: number, zone: string): Endpoint => at(number, { hints: { forZones: [{ name: zone }] } });
  const lists = (zone: string | undefined, ...endpoints: Endpoint[]) => {
    const one = tracker(zone);
    one.setService("default/web", web());
    one.setSlice("default/web-1", slice(endpoints));
    return cluster(one.replan().get("default/web"));
  };
  deepEqual(lists("a", hinted(1, "a"), hinted(2, "b")), ["10.244.0.1:8080"]);
  deepEqual(lists("c", hinted(1, "a"), hinted(2, "b")).length, 2);
  deepEqual(lists(undefined, hinted(1, "a"), hinted(2, "b")).length, 2);
  deepEqual(lists("a", hinted(1, "a"), at(2)).length, 2);
});

test("PRX-041: host names and addresses proxied elsewhere program nothing", () => {
  const balanced = web({ type: "LoadBalancer" });
  const ingress = [{ hostname: "lb.example" }, { ip: "203.0.113.1", ipMode: "Proxy" }, { ip: "203.0.113.2" }];
  const found = plan({ ...balanced, status: { loadBalancer: { ingress } } });
  deepEqual(
    found!.ports[0]!.frontends.map(({ ip, kind }) => `${kind} ${ip}`),
    ["cluster 10.96.0.1", "loadBalancer 203.0.113.2"],
  );
});

test("PRX-044: of two Services with one externalIP the older has it, and the younger gets it when that goes", () => {
  const one = tracker();
  const shared = (name: string, ip: string, created: string): Service =>
    web({ clusterIP: ip, clusterIPs: [ip], externalIPs: ["203.0.113.9"] }, name, created);
  const ipsOf = (key: string): string[] => one.plans.get(key)!.ports[0]!.frontends.map(({ ip }) => ip);
  one.setService("default/young", shared("young", "10.96.0.2", "2026-02-01T00:00:00Z"));
  one.replan();
  deepEqual(ipsOf("default/young"), ["10.96.0.2", "203.0.113.9"]);
  one.setService("default/old", shared("old", "10.96.0.3", "2026-01-01T00:00:00Z"));
  deepEqual([...one.replan().keys()].toSorted(), ["default/old", "default/young"]);
  deepEqual(ipsOf("default/young"), ["10.96.0.2"]);
  deepEqual(ipsOf("default/old"), ["10.96.0.3", "203.0.113.9"]);
  one.setService("default/old", undefined);
  one.replan();
  deepEqual(ipsOf("default/young"), ["10.96.0.2", "203.0.113.9"]);
});

test("an externalIP never takes another Service's clusterIP, however old it is", () => {
  const one = tracker();
  one.setService(
    "default/thief",
    web(
      { clusterIP: "10.96.0.2", clusterIPs: ["10.96.0.2"], externalIPs: ["10.96.0.1"] },
      "thief",
      "2020-01-01T00:00:00Z",
    ),
  );
  one.setService("default/web", web());
  one.replan();
  deepEqual(
    one.plans.get("default/thief")!.ports[0]!.frontends.map(({ ip }) => ip),
    ["10.96.0.2"],
  );
  deepEqual(
    one.plans.get("default/web")!.ports[0]!.frontends.map(({ ip }) => ip),
    ["10.96.0.1"],
  );
});

test("PRX-014, PRX-016: only what alters the plan of a Service is a change", () => {
  const one = tracker();
  one.setSlice("default/web-1", slice([at(1)]));
  deepEqual([...one.replan().keys()], [], "a slice before its Service");
  one.setService("default/web", web());
  deepEqual([...one.replan().keys()], ["default/web"]);
  const annotated = web();
  one.setService("default/web", { ...annotated, metadata: { ...annotated.metadata, annotations: { note: "x" } } });
  deepEqual([...one.replan().keys()], [], "an annotation");
  one.setSlice("default/web-1", slice([at(2)]));
  deepEqual([...one.replan().keys()], ["default/web"]);
  one.setSlice("default/web-1", undefined);
  equal(cluster(one.replan().get("default/web")), "reject");
  one.setService("default/web", undefined);
  deepEqual([...one.replan()], [["default/web", undefined]]);
});
