import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from "../../api/generated/types.ts";
import { at, balanced, ends, planOf, slice, tracker, waysIn, web } from "../../../test/proxy/plan-examples.ts";

// What an API server would not let in, or would today and not in an older version: left out alone, and told.

const planned = (slices: readonly EndpointSlice[], service: Service = web()): [string, readonly string[]] => {
  const plan = planOf(service, slices);
  return [ends(plan?.ports[0]?.cluster), plan?.complaints ?? []];
};
const addressed = (...addresses: string[]): Endpoint[] => addresses.map((address) => ({ addresses: [address] }));

test("an address that is none is left out, and told", () => {
  deepEqual(planned([slice([...addressed("999.1.1.1"), at(2)])]), [
    "2",
    ['EndpointSlice default/web-1: address "999.1.1.1" is no IPv4 address; the endpoint is left out'],
  ]);
  for (const bad of ["", "10.244.0", "10.244.0.1.2", "web.example", "10.244.0.1/32", "10.244.0.1:80", "fe80::1%eth0"]) {
    const [found, complaints] = planned([slice([...addressed(bad), at(2)])]);
    deepEqual([found, complaints.length], ["2", 1], bad);
  }
});

test("an address of the other family is left out, and told; IPv4 in IPv6's clothes is IPv4", () => {
  const [found, complaints] = planned([slice(addressed("fd00::1", "10.244.0.2", "::ffff:10.244.0.3"))]);
  equal(found, "2 3");
  match(complaints.join(), /^EndpointSlice default\/web-1: address "fd00::1" is no IPv4 address/);
});

test("zeros in front of numbers are no octal, and no other endpoint", () => {
  deepEqual(planned([slice(addressed("010.244.0.08", "10.244.0.8"))]), ["8", []]);
});

test("PRX-013: the same address in other spellings and other slices counts once", () => {
  const service = web({ clusterIP: "fd00::1", clusterIPs: ["fd00::1"] });
  const six = (name: string, ...addresses: string[]) => slice(addressed(...addresses), name, { addressType: "IPv6" });
  const plan = planOf(service, [six("web-1", "fd00:244::1", "FD00:244:0::1"), six("web-2", "fd00:244::0001")], {
    families: ["IPv6"],
  });
  const destination = plan?.ports[0]?.cluster;
  deepEqual(destination?.to === "targets" && destination.targets.map(({ ip }) => ip), ["fd00:244::1"]);
});

for (const port of [65_536, -1, 1.5, 1e9, Number.NaN]) {
  test(`a slice's port ${port} is left out alone`, () => {
    const ports = [
      { name: "http", port, protocol: "TCP" },
      { name: "http", port: 8080, protocol: "TCP" },
    ];
    const [found, complaints] = planned([slice([at(1)], "web-1", { ports }), slice([at(2)], "web-2")]);
    equal(found, "1 2");
    // What is no number at all counts as left open, PRX-008.
    equal(complaints.length, Number.isNaN(port) ? 0 : 1);
    if (complaints.length > 0) match(complaints[0]!, /port "http" is .*\/TCP and should be 1 to 65535/);
  });
}

test("a slice's port of a protocol that is none is left out alone", () => {
  const ports = [{ name: "http", port: 80, protocol: "ICMP" }];
  const [found, complaints] = planned([slice([at(1)], "web-1", { ports }), slice([at(2)], "web-2")]);
  equal(found, "2");
  match(complaints[0]!, /port "http" is 80\/ICMP and should be/);
});

test("a slice made by hand whose ports no port of the Service wants is told; one that a controller makes is not", () => {
  const ports = [{ name: "https", port: 8443, protocol: "TCP" }];
  const [found, complaints] = planned([slice([at(1)], "web-1", { ports })]);
  equal(found, "reject");
  deepEqual(complaints, [
    'EndpointSlice default/web-1 has ports "https"/TCP; the Service\'s are "http"/TCP, so it is not used',
  ]);
  const labels = {
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  };
  const metadata = { name: "web-1", namespace: "default", labels };
  deepEqual(planned([slice([at(1)], "web-1", { ports, metadata })])[1], []);
});

test("a thousand bad endpoints are a few sentences", () => {
  const many = Array.from({ length: 1000 }, (_, index) => `999.0.${index >> 8}.${index & 255}`);
  const [, complaints] = planned([slice(addressed(...many))]);
  equal(complaints.length, 4);
  equal(complaints[3], "EndpointSlice default/web-1: and 997 more like it");
});

test("and so are a thousand bad endpoints in a hundred slices", () => {
  const slices = Array.from({ length: 100 }, (_, part) =>
    slice(addressed(...Array.from({ length: 10 }, (_each, index) => `999.0.${part}.${index}`)), `web-${part}`),
  );
  const [, complaints] = planned(slices);
  equal(complaints.length, 21);
  equal(complaints[20], "and 380 more sentences like these");
});

const ports = (...given: Partial<NonNullable<ServiceSpec["ports"]>[number]>[]): Service =>
  web({ type: "NodePort", ports: given.map((one, index) => ({ name: `p${index}`, port: 80, ...one })) });
for (const [name, service, expected, sentence] of [
  [
    "a port out of range",
    ports({ port: 0 }, { port: 70_000 }, { port: 81 }),
    ["p2 81 undefined"],
    /port p0 \(0\/TCP\) should be/,
  ],
  [
    "a protocol that is none",
    ports({ protocol: "ICMP" }, { port: 81 }),
    ["p1 81 undefined"],
    /port p0 \(80\/ICMP\) should be/,
  ],
  [
    "a port twice",
    ports({}, {}),
    ["p0 80 undefined"],
    /port p1 \(80\/TCP\) has the number or the name of a port before it/,
  ],
  [
    "a name twice",
    ports({ name: "x" }, { name: "x", port: 81 }),
    ["x 80 undefined"],
    /port x \(81\/TCP\) has the number or the name/,
  ],
  [
    "a node port twice",
    ports({ nodePort: 30_000 }, { port: 81, nodePort: 30_000 }),
    ["p0 80 30000", "p1 81 undefined"],
    /port p1 \(81\/TCP\) has the node port of a port before it, 30000/,
  ],
  [
    "a node port out of range",
    ports({ nodePort: 99_999 }),
    ["p0 80 undefined"],
    /has node port 99999, which should be 1 to 65535/,
  ],
] as const) {
  test(`of a Service's ports ${name} is left out alone`, () => {
    const plan = planOf(service);
    deepEqual(
      plan?.ports.map(({ id, frontends, nodePort }) => `${/:(.*)\//.exec(id)?.[1]} ${frontends[0]?.port} ${nodePort}`),
      expected,
    );
    match(plan?.complaints[0] ?? "", sentence);
  });
}

test("of a Service's addresses what is none is left out alone, and the same one twice counts once", () => {
  const service = balanced([{ ip: "203.0.113.2" }, { ip: "nowhere" }], {
    externalIPs: ["999.1.1.1", "203.0.113.1", "203.0.113.001", "203.0.113.2", "10.96.0.1", ""],
  });
  const plan = planOf(service);
  deepEqual(waysIn(plan), ["cluster 10.96.0.1 80", "loadBalancer 203.0.113.2 80", "external 203.0.113.1 80"]);
  deepEqual(plan?.complaints, [
    'loadBalancer address "nowhere" is no IP address; it is left out',
    'external address "999.1.1.1" is no IP address; it is left out',
  ]);
});

test("a clusterIP that is none has no plan of any family", () => {
  const plan = planOf(web({ clusterIP: "10.96.0", clusterIPs: ["10.96.0"] }));
  deepEqual([plan?.ports, plan?.complaints.length], [[], 1]);
});

test("of source ranges what is none is left out alone, and told once", () => {
  const sources = ["10.0.0.0/33", "10.0.0.0", "x/8", "", "10.0.0.0/8", "10.1.0.0/16"];
  const ports = [80, 81].map((port) => ({ name: `p${port}`, port, protocol: "TCP" }));
  const plan = planOf(balanced([{ ip: "203.0.113.2" }], { ports, loadBalancerSourceRanges: sources }));
  deepEqual(plan?.ports[0]?.sourceRanges, ["10.0.0.0/8"]);
  equal(plan?.complaints.length, 3);
  match(plan?.complaints[0] ?? "", /loadBalancerSourceRanges has "10.0.0.0\/33", which should be ADDRESS\/PREFIX/);
});

test("objects with next to nothing in them throw nothing", () => {
  const metadata = { name: "web", namespace: "default" };
  for (const spec of [undefined, {}, { clusterIP: "10.96.0.1" }, { clusterIP: "10.96.0.1", ports: [] }]) {
    planOf({ apiVersion: "v1", kind: "Service", metadata, ...(spec === undefined ? {} : { spec }) });
  }
  const bare = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" };
  const labels = { "kubernetes.io/service-name": "web" };
  for (const more of [{}, { endpoints: [{ addresses: [] }] }, { ports: [{}] }, { ports: [], endpoints: [at(1)] }]) {
    const made = { ...bare, metadata: { ...metadata, labels }, endpoints: [], ...more } as EndpointSlice;
    equal(planned([made])[0], "reject");
  }
});

/** What may be in the place of a value: nothing, in the ways that servers say it, or another of its kind. */
const others = (value: unknown): readonly unknown[] => {
  if (typeof value === "string") return [undefined, "", "x", "0"];
  if (typeof value === "number") return [undefined, 0, -1, 1e9];
  if (typeof value === "boolean") return [undefined, !value];
  return [undefined, null, ...(Array.isArray(value) ? [[]] : [])];
};

/** The object once for each place in it, with something else there. */
function* spoiled<T extends object>(whole: T): Generator<{ readonly where: string; readonly what: T }> {
  const places = function* (part: unknown, path: readonly string[]): Generator<readonly [readonly string[], unknown]> {
    if (typeof part !== "object" || part === null) return;
    for (const [key, value] of Object.entries(part)) {
      // Lists have no holes, and what has no metadata is no object.
      if (!Array.isArray(part) && key !== "metadata") yield [[...path, key], value];
      yield* places(value, [...path, key]);
    }
  };
  for (const [path, value] of places(whole, [])) {
    for (const other of others(value)) {
      const what = structuredClone(whole);
      let part = what as Record<string, unknown>;
      for (const key of path.slice(0, -1)) part = part[key] as Record<string, unknown>;
      part[path.at(-1)!] = other;
      yield { where: `${path.join(".")} = ${JSON.stringify(other)}`, what };
    }
  }
}

test("whatever is missing or other anywhere in an object, nothing is thrown and other Services have their plans", () => {
  const service = balanced([{ ip: "203.0.113.2", ipMode: "VIP" }], {
    externalIPs: ["203.0.113.1"],
    ports: [{ name: "http", port: 80, protocol: "TCP", nodePort: 30_000 }],
    loadBalancerSourceRanges: ["10.0.0.0/8"],
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
  });
  const endpoint: Endpoint = {
    ...at(1),
    nodeName: "n1",
    conditions: { ready: true, serving: true, terminating: false },
    hints: { forZones: [{ name: "a" }], forNodes: [{ name: "n1" }] },
    targetRef: { kind: "Pod", name: "p1", uid: "1" },
  };
  const given = slice([endpoint]);
  let count = 0;
  const survives = (where: string, one: Service, other: EndpointSlice): void => {
    const two = tracker({ now: () => 0 });
    two.setService("default/good", web({ clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"] }, { name: "good" }));
    two.setService("default/web", one);
    two.setSlice("default/web-1", other);
    two.setSlice("default/web-2", slice([at(2)], "web-2"));
    two.replan();
    equal(two.plans.has("default/good"), true, where);
    count += 1;
  };
  for (const { where, what } of spoiled(service)) survives(`Service ${where}`, what, given);
  for (const { where, what } of spoiled(given)) survives(`EndpointSlice ${where}`, service, what);
  equal(count > 100, true);
});
