import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, EndpointSlice, Service } from "../../api/generated/types.ts";
import { service } from "../../../test/controllers/examples.ts";
import { applied, isNothing, only } from "../../../test/controllers/slices.ts";
import type { MirrorDecision, MirrorInput } from "./decide.ts";
import { decideMirror } from "./decide.ts";

const TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time";
const APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

const bare = (spec: Partial<NonNullable<Service["spec"]>> = {}): Service => service({ selector: undefined, ...spec });
const endpoints = (subsets: Endpoints["subsets"], metadata: Partial<Endpoints["metadata"]> = {}): Endpoints => ({
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: { namespace: "shop", name: "web", uid: "endpoints-1", ...metadata },
  ...(subsets === undefined ? {} : { subsets }),
});
const HTTP = [{ name: "http", port: 8080, protocol: "TCP" }];
const ONE = endpoints([{ addresses: [{ ip: "192.0.2.1" }], ports: HTTP }]);

const decideAll = (input: Partial<MirrorInput>): MirrorDecision =>
  decideMirror({ endpoints: ONE, service: bare(), existing: [], most: 1000, ...input });
const decide = (input: Partial<MirrorInput>) => decideAll(input).changes;
const addresses = (slices: readonly EndpointSlice[]) =>
  slices
    .map(({ addressType, ports, endpoints = [] }) => [
      addressType,
      ports?.map(({ port }) => port).join() ?? "",
      endpoints.map((one) => `${one.addresses.join()}=${one.conditions?.ready}`).join(),
    ])
    .sort((a, b) => (a.join() < b.join() ? -1 : 1));

test("CTL-087, CTL-088, CTL-089, CTL-090: the whole of a mirrored slice", () => {
  const targetRef = { kind: "Pod", namespace: "shop", name: "a", uid: "uid-a", resourceVersion: "7" };
  const written = endpoints(
    [
      {
        addresses: [{ ip: "192.0.2.1", hostname: "one", nodeName: "node-1", targetRef }],
        notReadyAddresses: [{ ip: "192.0.2.2" }],
        ports: [{ port: 8080, appProtocol: "kubernetes.io/h2c" }],
      },
    ],
    {
      labels: { team: "x", "kubernetes.io/service-name": "lie", "endpointslice.kubernetes.io/managed-by": "lie" },
      annotations: { note: "copied", [TRIGGER]: "2026-01-01T00:00:00Z", [APPLIED]: "{}" },
    },
  );
  assert.deepEqual(only(decide({ endpoints: written }).create), {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: "web-",
      namespace: "shop",
      labels: {
        team: "x",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
      },
      annotations: { note: "copied" },
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "Endpoints",
          name: "web",
          uid: "endpoints-1",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: "IPv4",
    ports: [{ name: "", port: 8080, protocol: "TCP", appProtocol: "kubernetes.io/h2c" }],
    endpoints: [
      {
        addresses: ["192.0.2.1"],
        conditions: { ready: true },
        hostname: "one",
        nodeName: "node-1",
        targetRef,
      },
      { addresses: ["192.0.2.2"], conditions: { ready: false } },
    ],
  });
});

test("CTL-089: a name so long that five characters hardly fit has no dash", () => {
  const name = "x".repeat(248);
  const long = endpoints(ONE.subsets, { name });
  assert.equal(only(decide({ endpoints: long }).create).metadata.generateName, name);
});

const LEADER = { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } };
const skip = (value: string) => ({ labels: { "endpointslice.kubernetes.io/skip-mirror": value } });
for (const [what, input, isMirrored] of [
  ["a Service without a selector", {}, true],
  ["a Service with an empty selector", { service: bare({ selector: {} }) }, true],
  ["an ExternalName without a selector", { service: bare({ type: "ExternalName" }) }, true],
  ["the skip-mirror label at another value", { endpoints: endpoints(ONE.subsets, skip("false")) }, true],
  ["a Service with a selector", { service: service() }, false],
  ["no Service", { service: undefined }, false],
  ["no Endpoints", { endpoints: undefined }, false],
  ["the skip-mirror label", { endpoints: endpoints(ONE.subsets, skip("true")) }, false],
  ["the annotation of a leader", { endpoints: endpoints(ONE.subsets, LEADER) }, false],
] as [string, Partial<MirrorInput>, boolean][]) {
  test(`CTL-083, CTL-084: with ${what} there ${isMirrored ? "is a mirrored slice" : "is none, and what there was goes"}`, () => {
    const changes = decide(input);
    assert.equal(changes.create.length, isMirrored ? 1 : 0);
    const existing = applied([], decide({}));
    const after = applied(existing, decide({ ...input, existing }));
    assert.equal(after.length, isMirrored ? 1 : 0);
  });
}

test("CTL-084: the slices of others are never touched", () => {
  const [mirrored] = applied([], decide({}));
  const mine: EndpointSlice = {
    ...mirrored!,
    metadata: { ...mirrored!.metadata, name: "mine", labels: { "kubernetes.io/service-name": "web" } },
  };
  isNothing(decide({ existing: [mirrored!, mine] }));
  assert.deepEqual(decide({ endpoints: undefined, existing: [mirrored!, mine] }).delete, [mirrored]);
});

test("CTL-085: subsets are repacked, and each family and set of ports has a slice", () => {
  const written = endpoints([
    { addresses: [{ ip: "192.0.2.1" }, { ip: "2001:db8::1" }], ports: HTTP },
    { addresses: [{ ip: "192.0.2.3" }], notReadyAddresses: [{ ip: "192.0.2.1" }], ports: HTTP },
    { addresses: [{ ip: "192.0.2.3" }, { ip: "192.0.2.9" }], ports: [{ name: "admin", port: 9, protocol: "TCP" }] },
  ]);
  assert.deepEqual(addresses(decide({ endpoints: written }).create), [
    ["IPv4", "8080", "192.0.2.3=true,192.0.2.1=false"],
    ["IPv4", "9", "192.0.2.3=true,192.0.2.9=true"],
    ["IPv6", "8080", "2001:db8::1=true"],
  ]);
});

test("CTL-086: of each subset at most so many, the ready ones first; what is no address has no place either", () => {
  const written = endpoints([
    {
      addresses: [{ ip: "192.0.2.1" }, { ip: "no address" }, { ip: "192.0.2.2" }],
      notReadyAddresses: [{ ip: "192.0.2.3" }, { ip: "192.0.2.4" }, { ip: "192.0.2.5" }],
      ports: HTTP,
    },
    { addresses: [{ ip: "192.0.2.9" }], ports: [{ name: "admin", port: 9, protocol: "TCP" }] },
  ]);
  const { changes, invalid, excess } = decideAll({ endpoints: written, most: 3 });
  assert.deepEqual(addresses(changes.create), [
    ["IPv4", "8080", "192.0.2.1=true,192.0.2.2=true,192.0.2.3=false"],
    ["IPv4", "9", "192.0.2.9=true"],
  ]);
  assert.deepEqual([invalid, excess], [1, 2]);
});

test("CTL-086: a form of address that slices may not hold is written in the one they may", () => {
  const written = endpoints([{ addresses: [{ ip: "192.000.2.010" }, { ip: "2001:DB8:0::1" }], ports: HTTP }]);
  assert.deepEqual(addresses(decide({ endpoints: written }).create), [
    ["IPv4", "8080", "192.0.2.10=true"],
    ["IPv6", "8080", "2001:db8::1=true"],
  ]);
});

test("CTL-091: a change is written to the same slice; what stays the same is not written", () => {
  const existing = applied([], decide({}));
  isNothing(decide({ existing }));
  const more = endpoints([{ addresses: [{ ip: "192.0.2.1" }, { ip: "192.0.2.7" }], ports: HTTP }]);
  for (const [what, next] of [
    ["an address", more],
    ["readiness", endpoints([{ notReadyAddresses: [{ ip: "192.0.2.1" }], ports: HTTP }])],
    ["a label", endpoints(ONE.subsets, { labels: { team: "y" } })],
    ["an annotation", endpoints(ONE.subsets, { annotations: { note: "y" } })],
    [
      "its ports",
      endpoints([{ addresses: [{ ip: "192.0.2.1" }], ports: [{ name: "http", port: 1, protocol: "TCP" }] }]),
    ],
  ] as const) {
    const { update, create, delete: removed } = decide({ endpoints: next, existing });
    assert.deepEqual([only(update).metadata.name, create, removed], [existing[0]?.metadata.name, [], []], what);
    isNothing(decide({ endpoints: next, existing: applied(existing, decide({ endpoints: next, existing })) }));
  }
  isNothing(
    decide({ endpoints: endpoints(ONE.subsets, { annotations: { [TRIGGER]: "later", [APPLIED]: "x" } }), existing }),
  );
});

test("CTL-091: Endpoints made anew under their name own the slice from then on", () => {
  const existing = applied([], decide({}));
  const anew = endpoints(ONE.subsets, { uid: "endpoints-2" });
  const { update } = decide({ endpoints: anew, existing });
  assert.equal(only(update).metadata.name, existing[0]?.metadata.name);
  assert.deepEqual(
    only(update).metadata.ownerReferences?.map(({ uid }) => uid),
    ["endpoints-2"],
  );
});

test("CTL-092: Endpoints without an address have no slice", () => {
  isNothing(decide({ endpoints: endpoints(undefined) }));
  isNothing(decide({ endpoints: endpoints([]) }));
  const existing = applied([], decide({}));
  assert.deepEqual(decide({ endpoints: endpoints(undefined), existing }).delete, existing);
});

test("Endpoints that are being deleted get no new slice, and two slices where one is enough become one", () => {
  const going = endpoints(ONE.subsets, { deletionTimestamp: "2026-01-01T00:00:00Z" });
  isNothing(decide({ endpoints: going }));
  const [first] = applied([], decide({}));
  const twin = { ...first!, metadata: { ...first!.metadata, name: "web-twin" } };
  const { update, delete: removed } = decide({ existing: [first!, twin] });
  assert.deepEqual([update, removed.length], [[], 1]);
});
