import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as property, json, property as forAll } from "fast-check";
import { repeatedKeys, strictWords } from "./repeated-keys.ts";

const words = (text: string, unknown: readonly string[] = []): string[] =>
  strictWords(repeatedKeys(text), unknown).warnings;

void test("a key that is there twice is told by its path, wherever it stands", () => {
  for (const [text, ...said] of [
    ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}'],
    ['{"a":1,"a":2}', 'duplicate field "a"'],
    ['{ "a" : { "b" : 1 , "b" : 2 } }', 'duplicate field "a.b"'],
    ['{"a":[[],{"b":1},{"b":1,"b":2}]}', 'duplicate field "a[2].b"'],
    ['{"a":"\\"b\\":","b":"\\\\","b":1}', 'duplicate field "b"'],
    ['{"a":["a","a",{"a":"a"}],"x":": a"}'],
    ['{"\\u0061":1,"a":2}', 'duplicate field "a"'],
    ['{"a":{"x":1},"a":{"x":1}}', 'duplicate field "a"'],
    ['{"a":1,"a":2,"a":3}', 'duplicate field "a"'],
  ] as [string, ...string[]][]) {
    assert.deepEqual(words(text), said, text);
  }
});

void test("unknown fields are told among them in the order of the text, and nothing of what lies within", () => {
  const text = '{"x":1,"x":2,"foo":{"a":1,"a":2},"b":1,"foo":3,"b":2,"bar":[{"c":1,"c":2}]}';
  assert.deepEqual(words(text, ["foo", "bar"]), [
    'duplicate field "x"',
    'unknown field "foo"',
    'duplicate field "b"',
    'unknown field "bar"',
  ]);
});

void test("what a program wrote has no key twice", () => {
  property(forAll(json(), (text) => assert.equal(repeatedKeys(text).kind, "none")));
});
