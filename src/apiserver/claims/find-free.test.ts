import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "../../net/cidr.ts";
import { addressBands, portBands, sizeOf } from "./bands.ts";
import { findFree } from "./find-free.ts";

const searchIn = (taken: Set<bigint>, hint: Set<bigint>, bands = [{ first: 1n, last: 8n }]) => {
  const asked: bigint[] = [];
  let lists = 0;
  const found = findFree({
    bands,
    random: () => 0,
    hint,
    excluded: new Set(),
    isTaken: async (number) => {
      asked.push(number);
      return taken.has(number);
    },
    readTaken: async () => {
      lists++;
      return taken;
    },
  });
  return found.then((number) => ({ number, asked, lists }));
};

void test("a number is never asked for twice in a search", async () => {
  const { number, asked } = await searchIn(new Set([1n, 2n, 3n]), new Set());
  assert.equal(number, 4n);
  assert.deepEqual(asked, [1n, 2n, 3n, 4n]);
});

void test("a hint that says all is taken is checked against the store: another server may have given something back", async () => {
  const all = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
  const { number, lists } = await searchIn(new Set(all.filter((one) => one !== 6n)), new Set(all));
  assert.equal(number, 6n);
  assert.equal(lists, 1);
});

void test("a full range ends the search after one long read", async () => {
  const all = new Set([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
  const { number, lists, asked } = await searchIn(all, new Set());
  assert.equal(number, undefined);
  assert.equal(lists, 1);
  assert.ok(asked.length <= 8);
});

void test("a range of 2^64 addresses is searched from a random start in no time", async () => {
  const bands = addressBands(parseCidr("fd00::/64"));
  const hint = new Set<bigint>();
  const found = await findFree({
    bands,
    random: () => 0.999_999_999_9,
    hint,
    excluded: new Set(),
    isTaken: async () => false,
    readTaken: async () => [],
  });
  assert.ok(found !== undefined && found > bands[0]!.first && found <= bands[0]!.last);
});

void test("SVC-119, SVC-120: the bands of address ranges", () => {
  const bands = (text: string): [bigint, bigint][] => {
    const cidr = parseCidr(text);
    return addressBands(cidr).map(({ first, last }) => [first - cidr.first, last - cidr.first]);
  };
  assert.deepEqual(bands("10.0.0.0/24"), [
    [17n, 254n],
    [1n, 16n],
  ]);
  assert.deepEqual(bands("10.0.0.0/16")[1], [1n, 256n]);
  assert.deepEqual(bands("10.0.0.0/20")[1], [1n, 256n]);
  assert.deepEqual(bands("10.0.0.0/28"), [[1n, 14n]]);
  assert.deepEqual(bands("10.0.0.0/30"), [[1n, 2n]]);
  const six = addressBands(parseCidr("fd00::/112"));
  assert.equal(
    six.map(sizeOf).reduce((sum, size) => sum + size),
    65_535n,
  );
});

void test("SVC-146: the bands of the default node port range", () => {
  assert.deepEqual(portBands({ first: 30_000, last: 32_767 }), [
    { first: 30_086n, last: 32_767n },
    { first: 30_000n, last: 30_085n },
  ]);
  assert.equal(portBands({ first: 1, last: 16 }).length, 1);
});
