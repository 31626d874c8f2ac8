import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Endpoint, EndpointSlice, Node, Pod, Service } from "../../api/generated/types.ts";
import type { PodExample } from "../../../test/controllers/examples.ts";
import { node, pod, service } from "../../../test/controllers/examples.ts";
import type { SliceChanges, SliceInput } from "./decide.ts";
import { decideSlices } from "./decide.ts";
import { labelsOf, ownerOf } from "./metadata.ts";

const NODES = new Map<string, Node>([
  ["node-1", node("node-1", { "topology.kubernetes.io/zone": "a" })],
  ["node-2", node("node-2")],
]);

const decide = (input: Partial<SliceInput>): SliceChanges =>
  decideSlices({ service: service(), pods: [], existing: [], node: (name) => NODES.get(name), ...input });

let names = 0;
/** What the server would hold after the changes. */
function applied(existing: readonly EndpointSlice[], changes: SliceChanges): EndpointSlice[] {
  const gone = new Set([...changes.stale, ...changes.delete].map(({ metadata }) => metadata.name));
  const updated = new Map(changes.update.map((slice) => [slice.metadata.name, slice]));
  assert.equal(updated.size, changes.update.length, "no slice is updated twice");
  return [
    ...existing
      .filter(({ metadata }) => !gone.has(metadata.name))
      .map((slice) => updated.get(slice.metadata.name) ?? slice),
    ...changes.create.map((slice) => ({
      ...slice,
      metadata: { ...slice.metadata, name: `${slice.metadata.generateName}${(names += 1)}` },
    })),
  ];
}

/** The slices of a Service that has none yet. */
const fresh = (input: Partial<SliceInput>): readonly EndpointSlice[] => {
  const { create, ...others } = decide(input);
  assert.deepEqual(others, { stale: [], update: [], delete: [] });
  return create;
};
const only = <T>(list: readonly T[] | undefined): T => {
  assert.equal(list?.length, 1);
  return list[0]!;
};
const isNothing = (changes: SliceChanges): void =>
  assert.deepEqual(changes, { stale: [], create: [], update: [], delete: [] });

for (const [id, what, changed] of [
  ["CTL-001", "type ExternalName", { type: "ExternalName" }],
  ["CTL-001", "no selector", { selector: undefined }],
  ["CTL-002", "an empty selector", { selector: {} }],
] as const) {
  test(`${id}: a Service with ${what} is left alone, its slices too`, () => {
    const existing = applied([], decide({ pods: [pod("a", { ready: true })] }));
    isNothing(decide({ service: service(changed), pods: [pod("a", { ready: true })], existing }));
  });
}

const conditions = (ready: boolean, serving: boolean, terminating: boolean) => ({ ready, serving, terminating });
for (const [id, example, publishNotReadyAddresses, expected] of [
  ["CTL-016", { ready: true }, false, conditions(true, true, false)],
  ["CTL-017", { ready: false }, false, conditions(false, false, false)],
  ["CTL-013", {}, false, conditions(false, false, false)],
  ["CTL-018", { ready: true, deleting: true }, false, conditions(false, true, true)],
  ["CTL-019", { ready: false, deleting: true }, false, conditions(false, false, true)],
  ["CTL-020, CTL-014", { ready: false }, true, conditions(true, false, false)],
  ["CTL-021", { ready: true, deleting: true }, true, conditions(true, true, true)],
  ["CTL-021", { ready: false, deleting: true }, true, conditions(true, false, true)],
  ["CTL-022", { phase: "Succeeded" }, true, undefined],
  ["CTL-022", { phase: "Failed" }, false, undefined],
  ["CTL-004", { ready: true, ips: [] }, true, undefined],
  ["CTL-004", { ready: true, spec: { nodeName: "unknown" } }, false, undefined],
  ["CTL-004", { ready: true, spec: { nodeName: "unknown" } }, true, conditions(true, true, false)],
] as [string, PodExample, boolean, object | undefined][]) {
  test(`${id}: conditions of ${JSON.stringify(example)} with publishNotReadyAddresses ${publishNotReadyAddresses}`, () => {
    const slice = only(fresh({ service: service({ publishNotReadyAddresses }), pods: [pod("a", example)] }));
    assert.deepEqual(
      slice.endpoints?.map(({ conditions }) => conditions),
      expected === undefined ? [] : [expected],
    );
  });
}

test("CTL-023 to CTL-026, CTL-012: the whole of an endpoint", () => {
  const { endpoints } = only(fresh({ pods: [pod("a", { ready: true, ips: ["10.244.0.7"] })] }));
  assert.deepEqual(endpoints, [
    {
      addresses: ["10.244.0.7"],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: "node-1",
      zone: "a",
      targetRef: { kind: "Pod", namespace: "shop", name: "a", uid: "uid-a" },
    },
  ]);
});

test("CTL-023, CTL-035: two families have slices of their own, with canonical addresses; a pod without the family is left out", () => {
  const slices = fresh({
    service: service({ ipFamilies: ["IPv4", "IPv6"] }),
    pods: [pod("a", { ips: ["10.244.0.1", "FD00:0::1"] }), pod("b", { ips: ["10.244.0.2"] })],
  });
  assert.deepEqual(
    slices.map(({ addressType, endpoints }) => [addressType, endpoints?.flatMap(({ addresses }) => addresses)]),
    [
      ["IPv4", ["10.244.0.1", "10.244.0.2"]],
      ["IPv6", ["fd00::1"]],
    ],
  );
});

test("CTL-035: slices of a family that is no longer listed are deleted", () => {
  const pods = [pod("a", { ips: ["10.244.0.1", "fd00::1"] })];
  const existing = applied([], decide({ service: service({ ipFamilies: ["IPv4", "IPv6"] }), pods }));
  const changes = decide({ pods, existing });
  assert.deepEqual(only(changes.delete).addressType, "IPv6");
  assert.deepEqual([changes.create, changes.update], [[], []]);
});

for (const [hostname, subdomain, expected] of [
  ["one", "web", "one"],
  ["one", "other", undefined],
  ["one", undefined, undefined],
  [undefined, "web", undefined],
] as const) {
  test(`CTL-027: hostname ${hostname} and subdomain ${subdomain} give ${expected}`, () => {
    const { endpoints } = only(fresh({ pods: [pod("a", { spec: { hostname, subdomain } })] }));
    assert.equal(endpoints?.[0]?.hostname, expected);
  });
}

for (const [distribution, name, hints] of [
  [undefined, "node-1", undefined],
  ["PreferClose", "node-1", { forZones: [{ name: "a" }] }],
  ["PreferSameNode", "node-1", { forZones: [{ name: "a" }], forNodes: [{ name: "node-1" }] }],
  ["PreferSameZone", "node-2", undefined],
] as const) {
  test(`CTL-078 to CTL-082: trafficDistribution ${distribution} on ${name}`, () => {
    const pods = [pod("a", { ready: true, spec: { nodeName: name } })];
    const { endpoints } = only(fresh({ service: service({ trafficDistribution: distribution }), pods }));
    assert.deepEqual(endpoints?.[0]?.hints, hints);
  });
}

const named: Partial<NonNullable<Pod["spec"]>> = {
  containers: [
    {
      name: "c",
      ports: [
        { name: "web", containerPort: 3000 },
        { name: "dns", containerPort: 53, protocol: "UDP" },
      ],
    },
  ],
  initContainers: [
    { name: "once", ports: [{ name: "init", containerPort: 1 }] },
    { name: "sidecar", restartPolicy: "Always", ports: [{ name: "side", containerPort: 2 }] },
  ],
};
for (const [id, targetPort, protocol, expected] of [
  ["CTL-030", 9999, "TCP", 9999],
  ["CTL-030", undefined, "TCP", 80],
  ["CTL-030", "web", "TCP", 3000],
  ["CTL-030", "web", "UDP", undefined],
  ["CTL-030", "dns", "UDP", 53],
  ["CTL-030", "side", "TCP", 2],
  ["CTL-030", "init", "TCP", undefined],
  ["CTL-031", "none", "TCP", undefined],
] as const) {
  test(`${id}: targetPort ${targetPort} of ${protocol} is ${expected}`, () => {
    const ports = [{ name: "x", port: 80, targetPort, protocol, appProtocol: "kubernetes.io/h2c" }];
    const slice = only(fresh({ service: service({ ports }), pods: [pod("a", { spec: named })] }));
    assert.equal(slice.endpoints?.length, 1);
    // CTL-032.
    const port = { name: "x", port: expected, protocol, appProtocol: "kubernetes.io/h2c" };
    assert.deepEqual(slice.ports, expected === undefined ? [] : [port]);
  });
}

test("CTL-033, CTL-048: pods with other numbers behind a name are in other slices; when those go, so does the slice", () => {
  const web = service({
    ports: [
      { name: "x", port: 80, targetPort: "web" },
      { name: "y", port: 81 },
    ],
  });
  const at = (name: string, containerPort: number): Pod =>
    pod(name, { spec: { containers: [{ name: "c", ports: [{ name: "web", containerPort }] }] } });
  const pods = [at("a", 1), at("bb", 2), at("ccc", 1)];
  const existing = applied([], decide({ service: web, pods }));
  assert.deepEqual(
    existing.map(({ ports, endpoints }) => [
      ports?.map(({ port }) => port),
      endpoints?.map(({ targetRef }) => targetRef?.name),
    ]),
    [
      [
        [1, 81],
        ["a", "ccc"],
      ],
      [[2, 81], ["bb"]],
    ],
  );
  isNothing(decide({ service: service({ ports: [...(web.spec?.ports ?? [])].reverse() }), pods, existing }));
  const changes = decide({ service: web, pods: [at("a", 1), at("ccc", 1)], existing });
  assert.deepEqual([only(changes.delete).ports?.[0]?.port, changes.update, changes.create], [2, [], []]);
});

test("CTL-034: a headless Service without ports has slices with empty ports and the headless label", () => {
  const slice = only(fresh({ service: service({ clusterIP: "None", ports: undefined }), pods: [pod("a")] }));
  assert.deepEqual([slice.ports, slice.endpoints?.length], [[], 1]);
  assert.equal(slice.metadata.labels?.["service.kubernetes.io/headless"], "");
});

test("CTL-037 to CTL-040: name, owner and labels of a slice", () => {
  const labels = {
    team: "x",
    "kubernetes.io/service-name": "lie",
    "service.kubernetes.io/headless": "lie",
    "endpointslice.kubernetes.io/managed-by": "lie",
  };
  const { metadata } = only(fresh({ service: service({}, { labels, annotations: { note: "not copied" } }) }));
  assert.deepEqual(metadata, {
    generateName: "web-",
    namespace: "shop",
    labels: {
      team: "x",
      "kubernetes.io/service-name": "web",
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    },
    ownerReferences: [
      { apiVersion: "v1", kind: "Service", name: "web", uid: "service-1", controller: true, blockOwnerDeletion: true },
    ],
  });
});

test("CTL-041: a label of the Service is written to all its slices, without touching their endpoints", () => {
  const pods = Array.from({ length: 150 }, (_, index) => pod(`p${index}`, { ips: [`10.244.1.${index}`] }));
  const existing = applied([], decide({ pods }));
  const { update, create } = decide({ service: service({}, { labels: { team: "y" } }), pods, existing });
  assert.deepEqual([update.length, create.length], [2, 0]);
  for (const [index, slice] of update.entries()) {
    assert.equal(slice.metadata.labels?.["team"], "y");
    assert.deepEqual(slice.endpoints, existing[index]?.endpoints);
  }
});

test("CTL-042, CTL-047: without pods there is one placeholder a family, and one and the same slice serves on", () => {
  const dual = service({ ipFamilies: ["IPv4", "IPv6"] });
  const pods = [pod("a", { ips: ["10.244.0.1", "fd00::1"] })];
  let held = applied([], decide({ service: dual }));
  const firstNames = held.map(({ metadata }) => metadata.name);
  assert.deepEqual(
    held.map(({ endpoints, ports }) => [endpoints, ports]),
    [
      [[], []],
      [[], []],
    ],
  );
  isNothing(decide({ service: dual, existing: held }));
  for (const next of [pods, [], pods]) {
    held = applied(held, decide({ service: dual, pods: next, existing: held }));
    assert.deepEqual(
      held.map(({ metadata }) => metadata.name),
      firstNames,
    );
    assert.deepEqual(
      held.map(({ endpoints }) => endpoints?.length),
      next.length === 0 ? [0, 0] : [1, 1],
    );
  }
});

test("CTL-043: what is written carries the trigger time; a write without one takes it away; the time alone is no reason to write", () => {
  const TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time";
  const pods = [pod("a", { ready: false })];
  const existing = applied([], decide({ pods, triggerTime: "2026-01-01T00:00:00.123Z" }));
  assert.equal(only(existing).metadata.annotations?.[TRIGGER], "2026-01-01T00:00:00.123Z");
  isNothing(decide({ pods, existing, triggerTime: "2026-01-01T00:00:09.000Z" }));
  const { update } = decide({ pods: [pod("a", { ready: true })], existing });
  assert.deepEqual(only(update).metadata.annotations, {});
});

test("CTL-044, CTL-045: slices of a deleted namesake go; those of others are untouched", () => {
  const pods = [pod("a", { ready: true })];
  const old = applied([], decide({ pods }));
  const foreign: EndpointSlice = {
    ...old[0]!,
    metadata: {
      ...old[0]!.metadata,
      name: "mine",
      labels: { "kubernetes.io/service-name": "web" },
      ownerReferences: undefined,
    },
  };
  const changes = decide({ service: service({}, { uid: "service-2" }), pods, existing: [...old, foreign] });
  assert.deepEqual(changes.stale, old);
  assert.equal(only(changes.create).metadata.ownerReferences?.[0]?.uid, "service-2");
  assert.deepEqual([changes.update, changes.delete], [[], []]);
});

test("CTL-049: a Service that is being deleted gets no new slice, but its old ones are kept right", () => {
  const going = service({}, { deletionTimestamp: "2026-01-01T00:00:00Z" });
  isNothing(decide({ service: going, pods: [pod("a")] }));
  const existing = applied([], decide({ pods: [pod("a", { ready: true })] }));
  assert.equal(decide({ service: going, pods: [pod("a", { ready: false })], existing }).update.length, 1);
});

const many = (count: number, from = 0): Pod[] =>
  Array.from({ length: count }, (_, index) =>
    pod(`p${from + index}`, { ready: true, ips: [`10.1.${(from + index) >> 8}.${(from + index) & 255}`] }),
  );
const sizes = (slices: readonly EndpointSlice[]): (number | undefined)[] =>
  slices.map(({ endpoints }) => endpoints?.length);

test("CTL-036: at most 100 endpoints a slice", () => {
  assert.deepEqual(sizes(fresh({ pods: many(250) })), [100, 100, 50]);
});

test("CTL-046: a new pod goes to the slice that is written anyway; else to the untouched one it fits best; else to a new one", () => {
  const pods = many(250);
  const existing = applied([], decide({ pods }));
  const elsewhere = pods.with(3, pod("p3", { ready: false, ips: ["10.1.0.3"] })).filter((_, index) => index !== 5);
  const touched = decide({ pods: [...elsewhere, ...many(1, 300)], existing });
  assert.deepEqual(only(touched.update).metadata.name, existing[0]?.metadata.name);
  const fitting = decide({ pods: [...pods, ...many(50, 300)], existing });
  assert.deepEqual([only(fitting.update).metadata.name, fitting.create.length], [existing[2]?.metadata.name, 0]);
  const tooMany = decide({ pods: [...pods, ...many(51, 300)], existing });
  assert.deepEqual([tooMany.update.length, sizes(tooMany.create)], [0, [51]]);
});

test("CTL-046: of several untouched slices with room, the fullest that fits is taken", () => {
  const all = many(250);
  const pods = [...all.slice(0, 110), ...all.slice(200)];
  const before = applied([], decide({ pods: all }));
  const held = applied(before, decide({ pods, existing: before }));
  assert.deepEqual(sizes(held), [100, 10, 50]);
  const { update } = decide({ pods: [...pods, ...many(20, 300)], existing: held });
  assert.equal(only(update).metadata.name, held[2]?.metadata.name);
});

test("a change of one pod among 10,000 writes one slice", () => {
  const pods = many(10_000);
  const existing = applied([], decide({ pods }));
  assert.equal(existing.length, 100);
  const {
    update,
    create,
    delete: removed,
  } = decide({ pods: pods.with(5000, pod("p5000", { ready: false, ips: ["10.1.19.136"] })), existing });
  assert.deepEqual([update.length, create.length, removed.length], [1, 0, 0]);
});

// Packing: any pods, any slices before (also ones that were tampered with), any size of slices.

const anyPod = fc
  .record({ id: fc.nat(40), ready: fc.boolean(), port: fc.constantFrom(1, 2), six: fc.boolean() })
  .map(({ id, ready, port, six }) =>
    pod(`p${id}`, {
      ready,
      ips: [`10.2.0.${id}`, ...(six ? [`fd00::${(id + 1).toString(16)}`] : [])],
      spec: { containers: [{ name: "c", ports: [{ name: "web", containerPort: port }] }] },
    }),
  );
const anyPods = fc.uniqueArray(anyPod, { selector: ({ metadata }) => metadata.name, maxLength: 40 });
const dual: Service = service({ ipFamilies: ["IPv4", "IPv6"], ports: [{ name: "x", port: 80, targetPort: "web" }] });
const tampered = (from: readonly Pod[]): EndpointSlice[] =>
  from.length === 0
    ? []
    : [0, 1].map((index) => ({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          namespace: "shop",
          name: `tampered-${index}`,
          labels: labelsOf(dual),
          ownerReferences: [ownerOf(dual)],
        },
        addressType: "IPv4",
        ports: [{ name: "x", port: 1, protocol: "TCP" }],
        endpoints: from.map(({ metadata, status }): Endpoint => ({
          addresses: [status?.podIP ?? ""],
          targetRef: { kind: "Pod", namespace: "shop", name: metadata.name, uid: metadata.uid },
        })),
      }));

test("every wanted endpoint is in exactly one slice, none is too full, what need not change is untouched, and deciding again gives nothing", () => {
  fc.assert(
    fc.property(
      fc.array(anyPods, { minLength: 1, maxLength: 4 }),
      anyPods,
      fc.integer({ min: 1, max: 12 }),
      (steps, before, most) => {
        let held = tampered(before);
        for (const pods of steps) {
          const changes = decide({ service: dual, pods, existing: held, most });
          const next = applied(held, changes);
          const touched = new Set(changes.update.map(({ metadata }) => metadata.name));
          for (const slice of next) assert.ok((slice.endpoints ?? []).length <= most, "no slice is too full");
          const found = next.flatMap(({ addressType, endpoints = [] }) =>
            endpoints.map(({ addresses }) => `${addressType} ${addresses.join()}`),
          );
          const wanted = pods.flatMap(({ status }) =>
            (status?.podIPs ?? []).map(({ ip }) => `${ip.includes(":") ? "IPv6" : "IPv4"} ${ip}`),
          );
          assert.deepEqual(found.sort(), wanted.sort());
          for (const slice of held) {
            if (touched.has(slice.metadata.name) || !next.includes(slice)) continue;
            assert.equal(
              next.find(({ metadata }) => metadata.name === slice.metadata.name),
              slice,
            );
          }
          for (const slice of changes.update) {
            const was = held.find(({ metadata }) => metadata.name === slice.metadata.name);
            assert.notDeepEqual({ ...slice, metadata: 0 }, { ...was, metadata: 0 }, "no slice is written as it was");
          }
          isNothing(decide({ service: dual, pods, existing: next, most }));
          isNothing(decide({ service: dual, pods: pods.toReversed(), existing: next.toReversed(), most }));
          held = next;
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("an endpoint that stays wanted stays in its slice", () => {
  fc.assert(
    fc.property(anyPods, anyPods, fc.integer({ min: 2, max: 12 }), (first, second, most) => {
      const held = applied([], decide({ service: dual, pods: first, existing: [], most }));
      const next = applied(held, decide({ service: dual, pods: second, existing: held, most }));
      const place = (slices: readonly EndpointSlice[]): Map<string, string> =>
        new Map(
          slices.flatMap(({ metadata, ports, endpoints = [] }) =>
            endpoints.map(({ addresses }) => [`${addresses.join()} ${ports?.[0]?.port}`, metadata.name ?? ""]),
          ),
        );
      const before = place(held);
      for (const [endpoint, name] of place(next)) {
        if (before.has(endpoint)) assert.equal(name, before.get(endpoint));
      }
    }),
    { numRuns: 200 },
  );
});
