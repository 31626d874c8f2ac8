import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { readCookies } from "./cookie.ts";

const cases: readonly (readonly [string, string | undefined, readonly string[]])[] = [
  ["no header", undefined, []],
  ["an empty header", "", []],
  ["one", "c=1", ["1"]],
  ["among others", "a=0; c=1; b=2", ["1"]],
  ["several of one name, in their order", "c=1; c=2;c=3", ["1", "2", "3"]],
  ["blanks around name and value", "  c \t=\t 1  ; c =2", ["1", "2"]],
  ["quotes", 'c="1"; c="', ["1", '"']],
  ["an empty value", "c=; c", [""]],
  ["a value with =", "c=a=b==", ["a=b=="]],
  ["names of another case", "C=1", []],
  ["names that begin or end alike", "cc=1; xc=2; c.=3", []],
  ["values that look like a pair", "a=c=1; b=xc=1", []],
  ["nothing but separators", ";;; ; =;=c", []],
];
for (const [what, header, values] of cases) {
  void test(`CTL-164: cookies are read from ${what}`, () => deepEqual(readCookies(header, "c"), values));
}

void test("CTL-164: a header of a megabyte of whatever shape is read in one pass", () => {
  const shapes = ["c", " ", ";", "c=", "c ", " c=", ";c=", '"', "c=1;"];
  for (const shape of shapes) {
    const began = performance.now();
    readCookies(shape.repeat(2 ** 20 / shape.length), "c");
    const took = performance.now() - began;
    ok(took < 2000, `${JSON.stringify(shape)}: ${took} ms`);
  }
});
