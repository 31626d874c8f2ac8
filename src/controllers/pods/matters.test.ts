import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import { pod } from "../../../test/controllers/examples.ts";
import { labelsDiffer, podMatters } from "./matters.ts";

const before = pod("a", { ready: true, spec: { hostname: "one", subdomain: "web" } });
const withStatus = (status: Partial<NonNullable<Pod["status"]>>): Pod => ({
  ...before,
  status: { ...before.status, ...status },
});

for (const [what, after] of [
  ["another address", withStatus({ podIP: "10.9.9.9", podIPs: [{ ip: "10.9.9.9" }] })],
  ["a second address", withStatus({ podIPs: [...(before.status?.podIPs ?? []), { ip: "fd00::9" }] })],
  ["readiness", withStatus({ conditions: [{ type: "Ready", status: "False" }] })],
  ["deletion", pod("a", { ready: true, deleting: true, spec: { hostname: "one", subdomain: "web" } })],
  ["its phase", withStatus({ phase: "Failed" })],
  ["its node", { ...before, spec: { ...before.spec, containers: [], nodeName: "node-2" } }],
  ["its hostname", { ...before, spec: { ...before.spec!, hostname: "two" } }],
  ["its subdomain", { ...before, spec: { ...before.spec!, subdomain: "other" } }],
  ["its weight", { ...before, metadata: { ...before.metadata, annotations: { "fairlead.dev/weight": "10" } } }],
  [
    "that it is a backup",
    { ...before, metadata: { ...before.metadata, annotations: { "fairlead.dev/backup": "true" } } },
  ],
  ["a new pod of the same name", { ...before, metadata: { ...before.metadata, uid: "uid-2" } }],
] as [string, Pod][]) {
  test(`CTL-054: ${what} matters`, () => assert.ok(podMatters(before, after)));
}

for (const [what, after] of [
  ["annotations", { ...before, metadata: { ...before.metadata, annotations: { note: "x" } } }],
  ["a version", { ...before, metadata: { ...before.metadata, resourceVersion: "9" } }],
  [
    "another condition, and when each changed",
    withStatus({
      conditions: [
        { type: "Initialized", status: "True" },
        { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" },
      ],
    }),
  ],
  ["a restarted container", withStatus({ containerStatuses: [] })],
] as [string, Pod][]) {
  test(`CTL-054: ${what} does not matter`, () => {
    assert.ok(!podMatters(before, after));
    assert.ok(!labelsDiffer(before, after));
  });
}

test("CTL-054: labels matter for who selects the pod", () => {
  const labelled = (labels: Record<string, string> | undefined): Pod => ({
    ...before,
    metadata: { ...before.metadata, labels },
  });
  assert.ok(labelsDiffer(before, labelled({ app: "other" })));
  assert.ok(labelsDiffer(before, labelled({ app: "web", more: "x" })));
  assert.ok(labelsDiffer(before, labelled(undefined)));
  assert.ok(!labelsDiffer(before, labelled({ app: "web" })));
});
