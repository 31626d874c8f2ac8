import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { times } from "../../../test/lab/counts.ts";
import { configMap } from "../../api/configMap/configMap.ts";
import type { KubeObject } from "../../api/object.ts";
import { service } from "../../api/service/service.ts";
import { apply } from "./apply.ts";
import { misfitWords } from "./check.ts";
import { applyConflict } from "./conflicts.ts";
import { encodeManagers } from "./managers.ts";
import { shapeOf } from "./shape.ts";
import { trackUpdate, withManagers } from "./track-update.ts";

type Labels = Record<string, string>;

const map = (data: Labels | undefined): KubeObject & { data?: Labels } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "m" },
  ...(data === undefined ? {} : { data }),
});

const at = (manager: string, force = false) => ({ manager, subresource: "", now: "2026-01-02T03:04:05Z", force });

/** The stored object after an apply that nobody disputes. */
function applied(live: KubeObject | undefined, config: object, manager: string, force = false): KubeObject {
  const result = apply(configMap, live, config, at(manager, force));
  if (result.isConflict) throw applyConflict(result.conflicts);
  return withManagers(result.object as unknown as KubeObject, result.managers);
}

const labels = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("1", "2"), { noNullPrototype: true });
const steps = fc.array(fc.tuple(fc.constantFrom("ann", "bob", "cat"), labels, fc.boolean()), {
  minLength: 1,
  maxLength: 8,
});

void test("whoever applies by force has what was named, and nothing goes but what its appliers all let go", () => {
  fc.assert(
    fc.property(steps, (all) => {
      // The naive model: each applier's own map, and the value that was forced last.
      const own = new Map<string, Labels>();
      let values: Labels = {};
      let live: KubeObject | undefined;
      for (const [manager, data] of all) {
        const before = own.get(manager) ?? {};
        own.set(manager, data);
        const next = { ...values, ...data };
        for (const [other, held] of own) {
          if (other === manager) continue;
          // Who is overridden owns the field no more.
          own.set(
            other,
            Object.fromEntries(Object.entries(held).filter(([key]) => !(key in data) || data[key] === values[key])),
          );
        }
        for (const key of Object.keys(before)) {
          if (![...own.values()].some((held) => key in held)) delete next[key];
        }
        values = next;
        live = applied(live, map(data), manager, true);
        assert.deepEqual((live as { data?: Labels | null }).data ?? {}, values);
      }
    }),
    { numRuns: times(500, 10_000) },
  );
});

void test("without force an apply conflicts exactly where it would change what another applier named", () => {
  fc.assert(
    fc.property(labels, labels, (first, second) => {
      const live = applied(undefined, map(first), "ann");
      const result = apply(configMap, live, map(second), at("bob"));
      const disputed = Object.keys(second).filter((key) => key in first && first[key] !== second[key]);
      assert.equal(result.isConflict, disputed.length > 0);
    }),
    { numRuns: times(500, 10_000) },
  );
});

void test("to apply the same again changes neither the object nor its managers", () => {
  fc.assert(
    fc.property(labels, labels, (first, second) => {
      const live = applied(applied(undefined, map(first), "ann"), map(second), "bob", true);
      const again = apply(configMap, live, map(second), { ...at("bob"), now: "2030-01-01T00:00:00Z" });
      assert.ok(!again.isConflict);
      assert.deepEqual(withManagers(again.object as unknown as KubeObject, again.managers), live);
    }),
    { numRuns: times(500, 10_000) },
  );
});

void test("an update by others takes fields over, and what it removes nobody owns", () => {
  const live = applied(undefined, map({ a: "1", b: "1" }), "ann");
  const next = trackUpdate(
    configMap,
    live,
    { ...live, ...map({ a: "2" }), metadata: live.metadata },
    {
      manager: "bob",
      subresource: "",
      now: "2026-01-02T03:04:06Z",
    },
  );
  assert.deepEqual(next.metadata.managedFields, [
    {
      manager: "bob",
      operation: "Update",
      apiVersion: "v1",
      time: "2026-01-02T03:04:06Z",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { "f:a": {} } },
    },
  ]);
});

void test("a conflict names every field and manager, and is one field only once", () => {
  const live = applied(applied(undefined, map({ a: "1", b: "1" }), "ann"), map({ b: "1", c: "1" }), "bob");
  const one = apply(configMap, live, map({ a: "2" }), at("cat"));
  assert.ok(one.isConflict);
  assert.equal(applyConflict(one.conflicts).message, 'Apply failed with 1 conflict: conflict with "ann": .data.a');
  const three = apply(configMap, live, map({ a: "2", b: "2" }), at("cat"));
  assert.ok(three.isConflict);
  assert.equal(
    applyConflict(three.conflicts).message,
    'Apply failed with 3 conflicts: conflicts with "ann":\n- .data.a\n- .data.b\nconflicts with "bob":\n- .data.b',
  );
});

void test("what does not fit its type is told by path", () => {
  const shape = shapeOf(service.type);
  const misfit = (spec: unknown): string | undefined => misfitWords(shape, { spec });
  assert.equal(misfit({ ports: [{ port: 80 }], selector: { a: "b" }, type: null }), undefined);
  assert.equal(misfit({ strange: 1 }), ".spec.strange: field not declared in schema");
  assert.equal(misfit({ constructor: 1 }), ".spec.constructor: field not declared in schema");
  assert.equal(misfit({ ports: "x" }), ".spec.ports: expected list, got &{x}");
  assert.equal(
    misfit({ ports: [{ port: "x" }] }),
    '.spec.ports[port="x",protocol="TCP"].port: expected numeric (int or float), got string',
  );
  assert.equal(
    misfit({ selector: { a: true } }),
    ".spec.selector.a: expected string, got &value.valueUnstructured{Value:true}",
  );
  assert.equal(
    misfit({ type: 1, clusterIPs: [2] }),
    "errors:\n  .spec.type: expected string, got &value.valueUnstructured{Value:1}\n  .spec.clusterIPs[0]: expected string, got &value.valueUnstructured{Value:2}",
  );
});

void test("nothing given is changed, and a thousand fields are looked at a bounded number of times", () => {
  const data = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, String(index)]));
  let reads = 0;
  const counted = new Proxy(data, {
    get(target, key) {
      if (typeof key === "string") reads += 1;
      return Reflect.get(target, key) as unknown;
    },
  });
  const live = Object.freeze(applied(undefined, map(data), "ann"));
  const config = Object.freeze({ ...map(data), data: counted });
  const result = apply(configMap, live, config, at("ann"));
  assert.ok(!result.isConflict);
  assert.equal(encodeManagers(result.managers)?.length, 1);
  assert.ok(reads <= 20 * 1000, `${reads} reads of 1000 fields`);
});
