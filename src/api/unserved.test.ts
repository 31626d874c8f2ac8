import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "./kinds.ts";
import { apiVersionOf } from "./object.ts";
import { SOUGHT_AMONG_CUSTOM, unservedBelowPods, unservedKind, unservedResource } from "./unserved.ts";

const REFUSED: readonly [apiVersion: string, kind: string, plural: string, would: RegExp][] = [
  ["networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", /limit which pods may talk to which/],
  [
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    /kubectl scale deployment NAME --replicas=3$/,
  ],
  ["batch/v1", "CronJob", "cronjobs", /make a Job at set times/],
  ["apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", /add a kind of your own/],
  ["v1", "PersistentVolume", "persistentvolumes", /a PersistentVolumeClaim becomes a directory without it$/],
  ["storage.k8s.io/v1", "StorageClass", "storageclasses", /a PersistentVolumeClaim becomes a directory without it$/],
  ["node.k8s.io/v1", "RuntimeClass", "runtimeclasses", /by which runtime pods are run/],
  ["scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", /leave out priorityClassName$/],
  ["v1", "LimitRange", "limitranges", /ResourceQuota$/],
  ["v1", "PodTemplate", "podtemplates", /the template of a Deployment$/],
];

for (const [apiVersion, kind, plural, would] of REFUSED) {
  void test(`${kind} is refused by name, in one sentence, wherever it is met`, () => {
    const sentence = unservedKind(apiVersion, kind);
    assert.match(sentence ?? "", new RegExp(`^${kind} is not served by Fairlead: it would `));
    assert.match(sentence ?? "", would);
    const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
    assert.equal(unservedResource(group, plural), sentence);
    assert.ok(SOUGHT_AMONG_CUSTOM.includes(kind));
  });
}

void test("what is served, and what nobody knows, is not among what is refused", () => {
  for (const kind of kinds) {
    assert.equal(unservedKind(apiVersionOf(kind), kind.kind), undefined, kind.kind);
    assert.equal(unservedResource(kind.group, kind.plural), undefined, kind.plural);
  }
  for (const [apiVersion, kind] of [
    ["v1", "Srevice"],
    ["apps/v1", "NetworkPolicy"],
    ["metrics.k8s.io/v1beta1", "PodMetrics"],
    ["v1", "constructor"],
  ] as const) {
    assert.equal(unservedKind(apiVersion, kind), undefined, kind);
  }
  assert.equal(unservedBelowPods("status"), undefined);
  assert.equal(unservedBelowPods("constructor"), undefined);
});

void test("a kind of somebody's own group is a custom resource", () => {
  const end = "it is a custom resource, and the kinds here are fixed; what it is for needs a full Kubernetes";
  assert.equal(unservedKind("example.com/v1", "Widget"), `Widget of example.com is not served by Fairlead: ${end}`);
  assert.equal(unservedResource("example.com", "widgets"), `widgets.example.com is not served by Fairlead: ${end}`);
  assert.match(unservedKind("notk8s.io/v1", "Widget") ?? "", /custom resource/);
});
