import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointSlice } from "../../api/generated/types.ts";
import { at, conditions, ends, here, planOf, slice, there, tracker, web } from "../../../test/proxy/plan-examples.ts";

// §2 of the ledger: which endpoints a Service port uses.

const cluster = (endpoints: readonly Endpoint[], zone?: string): string =>
  ends(planOf(web(), [slice(endpoints)], { zone })?.ports[0]?.cluster);

for (const [name, endpoints, expected] of [
  ["PRX-011, SVC-248: what is not said counts as ready", [at(1)], "1"],
  ["PRX-011: nor as terminating", [at(1, { conditions: { ready: false } })], "reject"],
  [
    "PRX-011: and serving, when it is on its way out",
    [at(1, { conditions: { ready: false, terminating: true } })],
    "1",
  ],
  [
    "PRX-010, SVC-242: only the first address, and none without",
    [{ addresses: ["10.244.0.1", "10.244.0.9"] }, { addresses: [] }],
    "1",
  ],
  ["PRX-020: all that are ready", [here(1), there(2), at(3)], "1 2 3"],
  ["PRX-020: those that leave and still serve, when none is ready", [there(1, "leaving"), here(2, "unready")], "1"],
  ["PRX-022: an unready endpoint is never used", [here(1, "unready")], "reject"],
  ["PRX-022: whatever it says of serving", [at(1, { conditions: { ready: false, serving: true } })], "reject"],
  ["PRX-023: one that leaves and does not serve is never used", [here(1, "gone")], "reject"],
  [
    "PRX-024: what publishes unready addresses says ready of all, and all are used",
    [
      at(1, { conditions: { ready: true, serving: false, terminating: false } }),
      at(2, { conditions: { ready: true, serving: false, terminating: true } }),
    ],
    "1 2",
  ],
  ["PRX-025: one ready endpoint shadows all that leave", [here(1, "leaving"), there(2)], "2"],
] as const satisfies readonly (readonly [string, readonly Endpoint[], string])[]) {
  test(name, () => equal(cluster(endpoints), expected));
}

test("PRX-012: local is the same node name, in the same case", () => {
  const endpoints = [at(1, { nodeName: "n1" }), at(2, { nodeName: "N1" }), at(3)];
  const destination = planOf(web(), [slice(endpoints)])?.ports[0]?.cluster;
  deepEqual(destination?.to === "targets" && destination.targets.map(({ local }) => local), [true, false, false]);
});

test("PRX-013: the same address and port counts once, and one that stays goes before one that leaves", () => {
  equal(cluster([at(1), at(1)]), "1");
  const both = (...slices: EndpointSlice[]): string => ends(planOf(web(), slices)?.ports[0]?.cluster);
  const [leaving, ready, other] = [here(1, "leaving"), here(1), here(2)];
  equal(both(slice([leaving, other]), slice([ready], "web-2")), "1 2");
  equal(both(slice([ready, other]), slice([leaving], "web-2")), "1 2");
  equal(both(slice([leaving, ready, other]), slice([leaving], "web-2")), "1 2");
  // At another port it is another endpoint.
  const elsewhere = slice([ready], "web-2", { ports: [{ name: "http", port: 8081, protocol: "TCP" }] });
  equal(both(slice([ready]), elsewhere), "1 1");
});

test("PRX-013: of two that stay and say otherwise the one in the first slice by name counts, whichever came first", () => {
  const says = (ready: boolean, name: string): EndpointSlice => slice([at(1, { conditions: { ready } })], name);
  const found = (...slices: EndpointSlice[]): string => ends(planOf(web(), slices)?.ports[0]?.cluster);
  equal(found(says(true, "web-1"), says(false, "web-2")), "1");
  equal(found(says(false, "web-2"), says(true, "web-1")), "1");
  equal(found(says(false, "web-1"), says(true, "web-2")), "reject");
  equal(found(says(true, "web-2"), says(false, "web-1")), "reject");
});

test("PRX-018, PRX-019: Local counts outside only where the Service can be called from outside", () => {
  const far = [slice([there(1)])];
  const eTP = { externalTrafficPolicy: "Local" } as const;
  const external = (spec: object): [boolean | undefined, string] => {
    const [port] = planOf(web({ ...eTP, ...spec }), far)!.ports;
    return [port?.externalLocal, ends(port?.external)];
  };
  deepEqual(external({}), [false, "1"]);
  deepEqual(external({ externalIPs: ["203.0.113.1"] }), [true, "drop"]);
  deepEqual(external({ type: "NodePort" }), [true, "drop"]);
  deepEqual(external({ type: "LoadBalancer" }), [true, "drop"]);
});

test("PRX-018: each policy has the list that it asks for", () => {
  const both = [slice([here(1), there(2)])];
  const [port] = planOf(web({ type: "NodePort", internalTrafficPolicy: "Local" }), both)!.ports;
  deepEqual([port!.internal, port!.external, port!.cluster].map(ends), ["1", "1 2", "1 2"]);
});

for (const [name, endpoints, expected] of [
  ["PRX-021: local ones that are ready", [here(1), there(2), here(3, "leaving")], "1"],
  ["PRX-021: local ones that leave, though others are ready elsewhere", [here(1, "leaving"), there(2)], "1"],
  ["PRX-021: none that is neither", [here(1, "unready"), here(2, "gone"), there(3)], "drop"],
] as const) {
  test(name, () => {
    const [port] = planOf(web({ internalTrafficPolicy: "Local" }), [slice(endpoints)])!.ports;
    equal(ends(port!.internal), expected);
  });
}

test("where a flow under way may stay: every endpoint that serves, whatever policy, hints and weights say", () => {
  const endpoints = [here(1), there(2), here(3, "leaving"), here(4, "unready"), there(5, "gone")];
  const serving = (list: readonly Endpoint[]): string | undefined =>
    planOf(web({ internalTrafficPolicy: "Local" }), [slice(list)])
      ?.ports[0]?.serving.map(({ ip }) => ip.slice("10.244.0.".length))
      .join(" ");
  equal(serving(endpoints), "1 2 3");
  equal(serving([here(4, "unready"), there(5, "gone")]), "");
  equal(serving(endpoints.slice(0, 2)), "1 2");
});

const zoned = (number: number, ...zones: string[]): Endpoint =>
  at(number, { hints: { forZones: zones.map((name) => ({ name })) } });
const noded = (number: number, node: string, ...zones: string[]): Endpoint =>
  at(number, { hints: { forNodes: [{ name: node }], forZones: zones.map((name) => ({ name })) } });

test("PRX-028: hints hold for the Cluster list alone", () => {
  const endpoints = [
    { ...here(1), hints: { forZones: [{ name: "b" }] } },
    { ...there(2), hints: { forZones: [{ name: "a" }] } },
  ];
  const [port] = planOf(web({ internalTrafficPolicy: "Local" }), [slice(endpoints)], { zone: "a" })!.ports;
  deepEqual([port!.internal, port!.cluster].map(ends), ["1", "2"]);
});

for (const [name, endpoints, zone, expected] of [
  [
    "PRX-029: an endpoint that is not ready has no say in hints",
    [zoned(1, "a"), zoned(2, "b"), here(3, "unready"), here(4, "leaving")],
    "a",
    "1",
  ],
  [
    "PRX-030: hints for nodes, when all have one and one is for this",
    [noded(1, "n1", "b"), noded(2, "n2", "a")],
    "a",
    "1",
  ],
  ["PRX-030: else hints for zones", [noded(1, "n3", "b"), noded(2, "n2", "a")], "a", "2"],
  ["PRX-030: also when not all have one for a node", [noded(1, "n1", "b"), zoned(2, "a")], "a", "2"],
  [
    "PRX-031: hints for zones, when all have one and one is for this",
    [zoned(1, "a"), zoned(2, "b", "a"), zoned(3, "c")],
    "a",
    "1 2",
  ],
  ["PRX-032: one without hints switches them off", [zoned(1, "a"), at(2)], "a", "1 2"],
  ["PRX-032: a node without a zone knows none", [zoned(1, "a"), zoned(2, "b")], undefined, "1 2"],
  ["PRX-032: nor one with an empty name", [zoned(1, "a"), zoned(2, "")], "", "1 2"],
  ["PRX-032: a zone that no hint is for uses all", [zoned(1, "a"), zoned(2, "b")], "c", "1 2"],
  [
    "PRX-020: those that leave are used whatever hints say",
    [{ ...zoned(1, "b"), conditions: conditions.leaving }],
    "a",
    "1",
  ],
] as const satisfies readonly (readonly [string, readonly Endpoint[], string | undefined, string])[]) {
  test(name, () => equal(cluster(endpoints, zone), expected));
}

test("PRX-033: hints hold whoever gave them and whatever the Service asks for", () => {
  for (const annotations of [{}, { "service.kubernetes.io/topology-mode": "Disabled" }]) {
    const plan = planOf(web({}, { annotations }), [slice([zoned(1, "a"), zoned(2, "b")])], { zone: "a" });
    equal(ends(plan?.ports[0]?.cluster), "1");
  }
});

test("PRX-034: a node that comes into another zone has all planned again", () => {
  const one = tracker({ zone: "a" });
  one.setService("default/web", web());
  one.setService("default/other", web({ clusterIP: "10.96.0.2", clusterIPs: ["10.96.0.2"] }, { name: "other" }));
  one.setSlice("default/web-1", slice([zoned(1, "a"), zoned(2, "b")]));
  equal(ends(one.replan().get("default/web")?.ports[0]?.cluster), "1");
  one.setContext({ nodeName: "n1", zone: "b", families: ["IPv4"] });
  const changed = one.replan();
  deepEqual([...changed.keys()], ["default/web"]);
  equal(ends(changed.get("default/web")?.ports[0]?.cluster), "2");
  one.setContext({ nodeName: "n1", zone: undefined, families: ["IPv4"] });
  equal(ends(one.replan().get("default/web")?.ports[0]?.cluster), "1 2");
});
