import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnerReference } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { configMaps } from "../../api/resources.ts";
import type { OwnerState } from "./decide.ts";
import { decideGarbage } from "./decide.ts";

const owner = (uid: string, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  name: uid,
  uid,
  blockOwnerDeletion,
});
const object = (metadata: KubeObject["metadata"]): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { uid: "me", ...metadata },
});
const stateOf = ({ uid }: OwnerReference): OwnerState => uid.split("-")[0] as OwnerState;

for (const [owners, expected] of [
  [[], { action: "none" }],
  [["present-1"], { action: "none" }],
  [["absent-1"], { action: "delete" }],
  [["absent-1", "absent-2"], { action: "delete" }],
  [["absent-1", "present-1"], { action: "keepOwners", owners: [owner("present-1")] }],
  [["absent-1", "unknown-1"], { action: "ask", owners: [owner("unknown-1")] }],
] as const) {
  test(`owners ${owners.join() || "none"}: ${expected.action}`, () => {
    const ownerReferences = owners.map((uid) => owner(uid));
    assert.deepEqual(decideGarbage(object({ ownerReferences }), [], stateOf), expected);
  });
}

test("an object being deleted: orphaning comes first, foreground counts those that block, and without either nothing", () => {
  const dependents = [owner("me", true), owner("me"), owner("other", true)].map((reference) => ({
    resource: configMaps,
    object: object({ uid: "child", ownerReferences: [reference] }),
  }));
  const going = (...finalizers: string[]) =>
    decideGarbage(
      object({ deletionTimestamp: "now", finalizers, ownerReferences: [owner("absent-1")] }),
      dependents,
      stateOf,
    );
  assert.deepEqual(going("foregroundDeletion"), { action: "deleteDependents", dependents, blocking: 1 });
  assert.deepEqual(going("foregroundDeletion", "orphan"), { action: "orphanDependents", dependents });
  assert.deepEqual(going("example.com/other"), { action: "none" });
});
