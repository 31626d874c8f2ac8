import assert from "node:assert/strict";
import { test } from "node:test";
import { strategicMergePatch } from "./strategic.ts";

const patchSpec = (spec: unknown, patch: unknown): unknown =>
  (strategicMergePatch({ spec }, { spec: patch }, "Service") as { spec: unknown }).spec;
const patchPod = (spec: unknown, patch: unknown): unknown =>
  (strategicMergePatch({ spec }, { spec: patch }, "Pod") as { spec: unknown }).spec;

void test("SVC-196: ports are merged by their port number alone", () => {
  const ports = [
    { port: 53, protocol: "TCP", name: "tcp" },
    { port: 53, protocol: "UDP", name: "udp" },
  ];
  assert.deepEqual(patchSpec({ ports }, { ports: [{ port: 53, targetPort: 1 }, { port: 80 }] }), {
    ports: [{ port: 53, protocol: "TCP", name: "tcp", targetPort: 1 }, ports[1], { port: 80 }],
  });
});

void test("an item with $patch: delete goes, $patch: replace replaces the list, without a key is refused", () => {
  const ports = [{ port: 1 }, { port: 2 }];
  assert.deepEqual(patchSpec({ ports }, { ports: [{ port: 1, $patch: "delete" }] }), { ports: [{ port: 2 }] });
  assert.deepEqual(patchSpec({ ports }, { ports: [{ $patch: "replace" }, { port: 3 }] }), { ports: [{ port: 3 }] });
  assert.throws(() => patchSpec({ ports }, { ports: [{ name: "x" }] }), /does not contain declared merge key: port/);
});

void test("a list without a merge key is replaced, null removes, maps merge", () => {
  const spec = { externalIPs: ["1.1.1.1"], selector: { a: "1", b: "2" }, type: "ClusterIP" };
  assert.deepEqual(patchSpec(spec, { externalIPs: ["2.2.2.2"], selector: { b: null, c: "3" }, type: null }), {
    externalIPs: ["2.2.2.2"],
    selector: { a: "1", c: "3" },
  });
});

void test("$patch: replace and $patch: delete of an object", () => {
  const spec = { selector: { a: "1" } };
  assert.deepEqual(patchSpec(spec, { selector: { $patch: "replace", b: "2" } }), { selector: { b: "2" } });
  assert.deepEqual(patchSpec(spec, { selector: { $patch: "delete" } }), { selector: {} });
  assert.throws(
    () => patchSpec(spec, { selector: { $patch: "explode" } }),
    /unknown patch type: explode in map: map\[\$patch:explode\]/,
  );
});

void test("$retainKeys drops what it does not name", () => {
  const volumes = [{ name: "v", emptyDir: {} }];
  const patch = { volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }] };
  assert.deepEqual(patchPod({ volumes }, patch), { volumes: [{ name: "v", hostPath: { path: "/x" } }] });
});

void test("finalizers are a set: a patch adds, $deleteFromPrimitiveList takes away", () => {
  const target = { metadata: { finalizers: ["a/x", "b/x"] } };
  const patch = { metadata: { finalizers: ["c/x", "a/x"], "$deleteFromPrimitiveList/finalizers": ["b/x"] } };
  assert.deepEqual(strategicMergePatch(target, patch, "Service"), { metadata: { finalizers: ["c/x", "a/x"] } });
});

void test("$setElementOrder orders the named items and leaves others where they were", () => {
  const containers = [{ name: "a" }, { name: "sidecar" }, { name: "b" }];
  const patch = {
    "$setElementOrder/containers": [{ name: "b" }, { name: "new" }, { name: "a" }],
    containers: [{ name: "new" }],
  };
  assert.deepEqual(patchPod({ containers }, patch), {
    containers: [{ name: "sidecar" }, { name: "b" }, { name: "new" }, { name: "a" }],
  });
});

void test("items of one name come together where a patch orders a list", () => {
  const ports = [{ port: 53 }, { port: 80, protocol: "TCP" }, { port: 81 }, { port: 80, protocol: "UDP" }];
  assert.deepEqual(patchSpec({ ports }, { ports: [] }), { ports: [ports[0], ports[1], ports[3], ports[2]] });
});

void test("directives and nulls do not survive where there is nothing to merge with", () => {
  const patch = {
    ports: [
      { port: 1, name: null },
      { port: 2, $patch: "delete" },
    ],
    "$setElementOrder/ports": [{ port: 1 }],
    selector: { $patch: "replace", a: "1" },
  };
  assert.deepEqual(patchSpec({}, patch), { ports: [{ port: 1 }] });
});

void test("nothing given is changed", () => {
  const target = Object.freeze({ spec: Object.freeze({ ports: Object.freeze([Object.freeze({ port: 1 })]) }) });
  const patch = { spec: { ports: [{ port: 1, name: "x" }], "$setElementOrder/ports": [{ port: 1 }] } };
  const before = structuredClone(patch);
  strategicMergePatch(target, patch, "Service");
  assert.deepEqual(patch, before);
});
