import assert from "node:assert/strict";
import { test } from "node:test";
import * as packets from "dns-packet";
import { parseQuery, type Query } from "../wire/query.ts";
import { encode } from "../wire/writer.ts";
import { createByteCache, type Ready } from "./bytes.ts";

const ask = (name: string, type: packets.RecordType = "A"): { packet: Buffer; query: Query } => {
  const packet = packets.encode({ type: "query", id: 1, questions: [{ name, type }] });
  return { packet, query: parseQuery(packet)! };
};
const answer = { rcode: 3, authoritative: true, answers: [], authority: [], additional: [] };
const ready = (packet: Buffer, query: Query): Ready => ({
  plugin: "kubernetes",
  block: { apex: [], sources: [], outside: undefined, rotates: true },
  whole: encode(packet, query.end, [], answer, false, 512),
});

void test("an answer is found again in any spelling, and by no other name or type", () => {
  const cache = createByteCache(10);
  const { packet, query } = ask("web.test");
  cache.set(query, ready(packet, query), []);
  const found = (name: string, type?: packets.RecordType): boolean => {
    const other = ask(name, type);
    return cache.get(other.packet, other.query) !== undefined;
  };
  assert.equal(found("web.test"), true);
  assert.equal(found("WEB.Test"), true);
  assert.equal(found("web.test", "AAAA"), false);
  assert.equal(found("wec.test"), false);
  assert.equal(found("web.test.test"), false);
});

void test("questions that only share their hash are not taken for each other", () => {
  const cache = createByteCache(10);
  const { packet, query } = ask("web.test");
  cache.set(query, ready(packet, query), []);
  for (const [name, type] of [
    ["bad.test", "A"],
    ["web.test", "AAAA"],
    ["longer.test", "A"],
  ] as const) {
    const other = ask(name, type);
    assert.equal(cache.get(other.packet, { ...other.query, hash: query.hash }), undefined, `${name} ${type}`);
  }
});

void test("a change drops what depends on it, and nothing else", () => {
  const cache = createByteCache(10);
  const one = ask("one.test");
  const two = ask("two.test");
  cache.set(one.query, ready(one.packet, one.query), ["service a/one", "service a/both"]);
  cache.set(two.query, ready(two.packet, two.query), ["service a/two", "service a/both"]);
  cache.drop(["service a/one", "service a/other"]);
  assert.equal(cache.get(one.packet, one.query), undefined);
  assert.notEqual(cache.get(two.packet, two.query), undefined);
  cache.drop(["service a/both"]);
  assert.equal(cache.size, 0);
  cache.set(one.query, ready(one.packet, one.query), ["service a/both"]);
  cache.drop(["service a/both"]);
  assert.equal(cache.size, 0);
});

void test("beyond the limit the oldest answers go", () => {
  const cache = createByteCache(100);
  for (let at = 0; at < 1000; at += 1) {
    const { packet, query } = ask(`name-${at}.test`);
    cache.set(query, ready(packet, query), ["service a/b"]);
    assert.ok(cache.size <= 100);
  }
  const first = ask("name-0.test");
  const last = ask("name-999.test");
  assert.equal(cache.get(first.packet, first.query), undefined);
  assert.notEqual(cache.get(last.packet, last.query), undefined);
  cache.drop(["service a/b"]);
  assert.equal(cache.size, 0);
});
