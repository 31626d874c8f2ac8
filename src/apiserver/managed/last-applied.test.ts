import assert from "node:assert/strict";
import { test } from "node:test";
import { configMap } from "../../api/configMap/configMap.ts";
import type { KubeObject } from "../../api/object.ts";
import { encodeFields } from "./fields-v1.ts";
import { takenOver, withLastApplied } from "./last-applied.ts";

const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

const map = (data: Record<string, string>, lastApplied?: string): KubeObject & { data: Record<string, string> } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "m", ...(lastApplied === undefined ? {} : { annotations: { [ANNOTATION]: lastApplied } }) },
  data,
});

void test("kubectl may take over what its own apply set and nobody changed since, and nobody else may", () => {
  const live = map({ a: "1", b: "2" }, JSON.stringify(map({ a: "1", b: "1", c: "1" })));
  assert.deepEqual(encodeFields(takenOver(configMap, live, "kubectl")), {
    "f:apiVersion": {},
    "f:data": { "f:a": {} },
    "f:kind": {},
    "f:metadata": { "f:name": {} },
  });
  assert.equal(takenOver(configMap, live, "helm").size, 0);
  for (const broken of ["", "{", "[]", '{"apiVersion":"v9"}', '{"apiVersion":"v1","strange":1}']) {
    assert.equal(takenOver(configMap, map({ a: "1" }, broken), "kubectl").size, 0, broken);
  }
});

void test("the annotation follows kubectl's server-side apply where there is one, and is no part of itself", () => {
  const config = map({ b: "1", a: "1" }, "old");
  const next = withLastApplied(map({ a: "1" }, "old"), config, "kubectl");
  assert.equal(
    next.metadata.annotations?.[ANNOTATION],
    '{"apiVersion":"v1","data":{"a":"1","b":"1"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"m"}}\n',
  );
  assert.deepEqual(withLastApplied(map({ a: "1" }), config, "kubectl"), map({ a: "1" }));
  assert.deepEqual(withLastApplied(map({ a: "1" }, "old"), config, "helm"), map({ a: "1" }, "old"));
  // An object whose annotations went with the apply has none to keep true.
  const none = { ...map({}), metadata: { name: "m", annotations: null } };
  assert.deepEqual(withLastApplied(none, config, "kubectl"), none);
  const large = withLastApplied(map({}, "old"), map({ a: "x".repeat(256 * 1024) }), "kubectl");
  assert.deepEqual(large.metadata.annotations, {});
});
