import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonPatch, readJsonPatch } from "./json.ts";
import { mergePatch } from "./merge.ts";

const apply = (target: unknown, patch: unknown): unknown => jsonPatch(target, readJsonPatch(patch));

void test("operations of RFC 6902 are applied to a copy", () => {
  const target = { a: [1, 2], b: { c: 1 } };
  const patched = apply(target, [
    { op: "add", path: "/a/1", value: 9 },
    { op: "remove", path: "/b/c" },
    { op: "copy", from: "/a", path: "/d" },
    { op: "test", path: "/d/0", value: 1 },
  ]);
  assert.deepEqual(patched, { a: [1, 9, 2], b: {}, d: [1, 9, 2] });
  assert.deepEqual(target, { a: [1, 2], b: { c: 1 } });
});

void test("what does not fit the object answers Invalid, what is no patch BadRequest", () => {
  const invalid = { reason: "Invalid" };
  assert.throws(() => apply({}, [{ op: "remove", path: "/a" }]), invalid);
  assert.throws(() => apply({ a: [] }, [{ op: "add", path: "/a/5", value: 1 }]), invalid);
  assert.throws(() => apply({ a: 1 }, [{ op: "test", path: "/a", value: 2 }]), invalid);
  assert.throws(() => apply({ a: {} }, [{ op: "move", from: "/a", path: "/a/b" }]), invalid);
  assert.throws(() => apply({}, [{ op: "add", path: "/__proto__/x", value: 1 }]), invalid);
  const bad = { reason: "BadRequest" };
  assert.throws(() => apply({}, { op: "add" }), bad);
  assert.throws(() => apply({}, [1]), bad);
  assert.throws(() => apply({}, [{ op: 1, path: "/a" }]), bad);
  assert.throws(() => apply({}, [null]), invalid);
  assert.throws(() => apply({}, [{ op: "explode", path: "/a" }]), invalid);
});

void test("copies that double an object again and again are refused", () => {
  const copies = Array.from({ length: 60 }, (_, index) => ({ op: "copy", from: "/a", path: `/a/k${index}` }));
  assert.throws(() => apply({ a: { text: "x".repeat(100) } }, copies), /copies make the object too large/);
});

void test("RFC 7396: the merge patches of its appendix A", () => {
  const cases: [unknown, unknown, unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, expected] of cases) assert.deepEqual(mergePatch(target, patch), expected);
});

void test("no patch at all changes nothing, and what is replaced need not be there, as upstream has it", () => {
  assert.deepEqual(apply({ a: 1 }, null), { a: 1 });
  assert.deepEqual(apply({ a: {} }, [{ op: "replace", path: "/a/b", value: 1 }]), { a: { b: 1 } });
  assert.throws(() => apply({}, [{ op: "replace", path: "/a/b", value: 1 }]), { reason: "Invalid" });
});
