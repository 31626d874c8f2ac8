import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice } from "../../api/generated/types.ts";
import { pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide, fresh, isNothing, only } from "../../../test/controllers/slices.ts";

for (const [id, what, changed] of [
  ["CTL-001, CTL-068, CTL-100", "type ExternalName", { type: "ExternalName" }],
  ["CTL-001, CTL-096", "no selector", { selector: undefined }],
  ["CTL-002", "an empty selector", { selector: {} }],
] as const) {
  test(`${id}: a Service with ${what} is left alone, its slices too`, () => {
    const existing = applied([], decide({ pods: [pod("a", { ready: true })] }));
    isNothing(decide({ service: service(changed), pods: [pod("a", { ready: true })], existing }));
    isNothing(decide({ service: service(changed), pods: [pod("a", { ready: true })] }));
  });
}

test("CTL-037, CTL-038, CTL-039, CTL-040, CTL-041: name, owner and labels of a slice; annotations are not copied", () => {
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

test("CTL-037: a name so long that five characters hardly fit has no dash", () => {
  const name = "x".repeat(248);
  assert.equal(only(fresh({ service: service({}, { name }) })).metadata.generateName, name);
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
  const foreign = (name: string, labels: Record<string, string>): EndpointSlice => ({
    ...old[0]!,
    metadata: {
      ...old[0]!.metadata,
      name,
      labels: { "kubernetes.io/service-name": "web", ...labels },
      ownerReferences: undefined,
    },
  });
  const others = [
    foreign("mine", {}),
    foreign("hers", { "endpointslice.kubernetes.io/managed-by": "example.com/hers" }),
  ];
  const changes = decide({ service: service({}, { uid: "service-2" }), pods, existing: [...old, ...others] });
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
