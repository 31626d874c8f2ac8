import assert from "node:assert/strict";
import { test } from "node:test";
import * as packets from "dns-packet";
import { rotate } from "./rotate.ts";

const END = 12 + "a.test".length + 6;
const ALIAS = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, 98, 0xc0, 14];
const A = (last: number, name = 12): number[] => [0xc0, name, 0, 1, 0, 1, 0, 0, 0, last, 0, 4, 192, 0, 2, last];

/** The addresses of an answer made of these records, after a turn, each with its TTL. */
const turned = (random: number, count: number, ...records: number[][]): string[] => {
  const head = packets.encode({ type: "response", questions: [{ name: "a.test", type: "A" }] });
  head.writeUInt16BE(count, 6);
  const reply = Buffer.from([...head, ...records.flat()]);
  rotate(reply, END, () => random);
  return packets
    .decode(reply)
    .answers!.map((record) => `${(record as { data: string }).data} ${(record as { ttl: number }).ttl}`);
};

void test("a record by chance comes first, with its TTL, and none is lost", () => {
  assert.deepEqual(turned(0, 3, A(1), A(2), A(3)), ["192.0.2.1 1", "192.0.2.2 2", "192.0.2.3 3"]);
  assert.deepEqual(turned(0.99, 3, A(1), A(2), A(3)), ["192.0.2.3 3", "192.0.2.2 2", "192.0.2.1 1"]);
});

void test("CNAMEs stay before the addresses they lead to; addresses of other names stay where they are", () => {
  assert.deepEqual(turned(0.99, 3, ALIAS, A(1, 36), A(2, 36)), ["b.test 9", "192.0.2.2 2", "192.0.2.1 1"]);
  assert.deepEqual(turned(0.99, 3, A(1), A(2), A(3, 14)), ["192.0.2.2 2", "192.0.2.1 1", "192.0.2.3 3"]);
});

void test("counts that say more than there is do no harm", () => {
  const reply = Buffer.from([0, 0, 0x81, 0x80, 0, 1, 255, 255, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1, ...A(1), ...A(2)]);
  rotate(reply, 19, () => 0.99);
  assert.equal(reply.length, 51);
});
