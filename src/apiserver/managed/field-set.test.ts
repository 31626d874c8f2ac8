import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { times } from "../../../test/lab/counts.ts";
import { difference, intersection, outside, setOf, union, type FieldSet } from "./field-set.ts";
import { decodeFields, encodeFields, fieldWords } from "./fields-v1.ts";
import { comparePathElements, readPathElement } from "./path-element.ts";

const element = fc.oneof(
  fc.constantFrom("f:a", "f:b", "f:c", "f:", "f:.", "f:a/b", "f:__proto__", "f:constructor"),
  fc.constantFrom(
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":9}',
    'k:{"name":"x"}',
    'v:"a"',
    "v:1",
    "v:true",
    "i:0",
    "i:10",
  ),
);
const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 12 });
const sets = paths.map((all) => setOf(...all));
const runs = { numRuns: times(500, 10_000) };

/** The members of a set as plain text, which is what the algebra is about. */
function membersOf(set: FieldSet, prefix: readonly string[] = []): Set<string> {
  const members = new Set<string>();
  for (const [key, { isMember, children }] of set) {
    const path = [...prefix, key];
    if (isMember) members.add(JSON.stringify(path));
    for (const below of membersOf(children, path)) members.add(below);
  }
  return members;
}

/** Nothing stands in a set that is neither a member nor above one. */
const isTidy = (set: FieldSet): boolean =>
  [...set.values()].every(({ isMember, children }) => (isMember || children.size > 0) && isTidy(children));

void test("union, intersection and difference are those of the members", () => {
  fc.assert(
    fc.property(sets, sets, (one, other) => {
      const [mine, theirs] = [membersOf(one), membersOf(other)];
      assert.deepEqual(membersOf(union(one, other)), mine.union(theirs));
      assert.deepEqual(membersOf(intersection(one, other)), mine.intersection(theirs));
      assert.deepEqual(membersOf(difference(one, other)), mine.difference(theirs));
      for (const set of [union(one, other), intersection(one, other), difference(one, other), outside(one, other)]) {
        assert.ok(isTidy(set));
      }
    }),
    runs,
  );
});

void test("what is outside a set neither is in it nor lies below what is", () => {
  fc.assert(
    fc.property(sets, sets, (one, other) => {
      const theirs = [...membersOf(other)].map((path) => JSON.parse(path) as string[]);
      const isInside = (path: string[]): boolean =>
        theirs.some((prefix) => prefix.every((key, index) => path[index] === key));
      const expected = [...membersOf(one)].filter((path) => !isInside(JSON.parse(path) as string[]));
      assert.deepEqual(membersOf(outside(one, other)), new Set(expected));
    }),
    runs,
  );
});

void test("a set that is written and read again is the same set, and is written the same", () => {
  fc.assert(
    fc.property(paths, (all) => {
      const set = setOf(...all.map((path) => path.map((key) => readPathElement(key)!)));
      const written = JSON.stringify(encodeFields(set));
      const read = decodeFields(JSON.parse(written));
      assert.deepEqual(membersOf(read), membersOf(set));
      assert.equal(JSON.stringify(encodeFields(read)), written);
    }),
    runs,
  );
});

void test("fieldsV1 is written as Kubernetes writes it: fields, keys, values, places, each in order", () => {
  const set = setOf(
    ["f:spec", "f:ports"],
    ["f:spec", "f:ports", 'k:{"port":80,"protocol":"UDP"}', "f:port"],
    ["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}'],
    ["f:spec", "f:ports", 'k:{"port":9,"protocol":"TCP"}'],
    ["f:metadata", "f:finalizers", 'v:"b"'],
    ["f:metadata", "f:finalizers", 'v:"a"'],
  );
  assert.equal(
    JSON.stringify(encodeFields(set)),
    JSON.stringify({
      "f:metadata": { "f:finalizers": { 'v:"a"': {}, 'v:"b"': {} } },
      "f:spec": {
        "f:ports": {
          ".": {},
          'k:{"port":9,"protocol":"TCP"}': {},
          'k:{"port":80,"protocol":"TCP"}': {},
          'k:{"port":80,"protocol":"UDP"}': { "f:port": {} },
        },
      },
    }),
  );
  assert.deepEqual(fieldWords(set), [
    '.metadata.finalizers[="a"]',
    '.metadata.finalizers[="b"]',
    ".spec.ports",
    '.spec.ports[port=9,protocol="TCP"]',
    '.spec.ports[port=80,protocol="TCP"]',
    '.spec.ports[port=80,protocol="UDP"].port',
  ]);
});

void test("path elements are read in one form, unknown kinds are left out, broken ones refused", () => {
  assert.equal(readPathElement('k:{"protocol": "TCP", "port": 80.0}'), 'k:{"port":80,"protocol":"TCP"}');
  assert.equal(readPathElement("v: 1 "), "v:1");
  assert.equal(readPathElement("i:07"), "i:7");
  assert.equal(readPathElement("q:later"), undefined);
  for (const broken of ["", "f", "fx", "k:{", "k:[]", "k:1", "v:", "i:x", "i:1.5"]) {
    assert.throws(() => readPathElement(broken), SyntaxError, broken);
  }
  assert.throws(() => decodeFields({ "f:a": 1 }), SyntaxError);
  assert.throws(() => decodeFields([]), SyntaxError);
  assert.deepEqual(decodeFields({ "q:later": { "f:a": {} } }), new Map());
});

void test("the order of path elements is total", () => {
  fc.assert(
    fc.property(fc.array(element, { minLength: 3, maxLength: 8 }), (all) => {
      const sorted = [...all].sort(comparePathElements);
      for (const [index, one] of sorted.entries()) {
        for (const other of sorted.slice(index)) assert.ok(comparePathElements(one, other) <= 0, `${one} ${other}`);
      }
    }),
    runs,
  );
});
