import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import * as fc from "fast-check";
import { parseQuery } from "../wire/query.ts";
import { answersQuestion, upstreamQuery } from "./question.ts";
import { readResponse, replyFrom } from "./response.ts";

const query = (name: string, extra: packets.Packet = {}): Buffer =>
  packets.encode({ type: "query", id: 7, flags: 0x100, questions: [{ name, type: "A" }], ...extra });
const opt = (flags: number, options: packets.PacketOpt[] = []) => ({
  type: "OPT" as const,
  name: ".",
  udpPayloadSize: 4096,
  extendedRcode: 0,
  ednsVersion: 0,
  flags,
  flag_do: flags !== 0,
  options,
});
const cookie = { type: "COOKIE", code: 10, data: Buffer.alloc(8, 1) } as unknown as packets.PacketOpt;
const response = (name: string, additionals: packets.Answer[] = []): Buffer =>
  packets.encode({
    type: "response",
    id: 7,
    flags: 0x180,
    questions: [{ name, type: "A" }],
    answers: [{ type: "A", name, ttl: 60, data: "192.0.2.1" }],
    additionals,
  });
const END = (name: string): number => 12 + name.length + 6;
/** Bytes behind a header and the question `a. A`, whose section ends at 19. */
const made = (counts: [number, number, number], ...rest: number[]): Buffer =>
  Buffer.from([0, 7, 0x81, 0x80, 0, 1, 0, counts[0], 0, counts[1], 0, counts[2], 1, 0x61, 0, 0, 1, 0, 1, ...rest]);
const A = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
const CNAME = (...name: number[]): number[] => [0, 5, 0, 1, 0, 0, 0, 60, 0, name.length, ...name];

void describe("readResponse", () => {
  void test("takes the OPT record away, whatever is in it and behind it", () => {
    const extra = { type: "A" as const, name: "b.test", ttl: 5, data: "192.0.2.2" };
    const read = readResponse(response("a.test", [extra, opt(0, [cookie]), extra]), END("a.test"))!;
    assert.ok(read.hasOpt);
    const decoded = packets.decode(read.bytes);
    assert.equal(decoded.answers!.length, 1);
    assert.deepEqual(
      decoded.additionals!.map(({ name }) => name),
      ["b.test"],
    );
  });

  const broken: readonly (readonly [string, Buffer])[] = [
    ["records that are not there", made([1, 0, 0])],
    ["a record cut short", made([1, 0, 0], 0xc0, 12, ...A.slice(0, -1))],
    ["a pointer to itself", made([1, 0, 0], 0xc0, 19, ...A)],
    ["a pointer forward", made([1, 0, 0], 0xc0, 35, ...A, 0)],
    ["a label that leads back to its own pointer", made([1, 0, 0], 1, 0x62, 0xc0, 19, ...A)],
    ["a pointer into the header", made([1, 0, 0], 0xc0, 4, ...A)],
    ["an alias that points at itself", made([1, 0, 0], 0xc0, 12, ...CNAME(0xc0, 31))],
    ["an alias longer than its data", made([2, 0, 0], 0xc0, 12, ...CNAME(3, 0x62), 0xc0, 12, ...A)],
    ["two OPT records", made([0, 0, 2], 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0)],
    ["OPT among the answers", made([1, 0, 0], 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0)],
    [
      "a name of 65 labels of 63 bytes",
      made([1, 0, 0], ...Array.from({ length: 5 }, () => [63, ...Array(63).fill(97)]).flat(), 0, ...A),
    ],
  ];
  for (const [what, packet] of broken) {
    void test(`${what}: is not taken for a response`, () => assert.equal(readResponse(packet, 19), undefined));
  }

  void test("never throws, and what it takes dns-packet takes too, whatever the bytes behind the question", () => {
    const one = fc.constantFrom(
      [0xc0, 12, ...A],
      [0xc0, 12, ...CNAME(1, 98, 0xc0, 12)],
      [0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0],
    );
    const noise = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 });
    const number = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(
        fc.tuple(number, number, number),
        fc.array(fc.oneof(one, noise), { maxLength: 4 }),
        (counts, parts) => {
          const read = readResponse(made(counts, ...parts.flat()), 19);
          if (read === undefined) return;
          const known = new Set([1, 5, 41]);
          if (read.ttls.every((ttl) => known.has(read.bytes.readUInt16BE(ttl - 4)))) packets.decode(read.bytes);
        },
      ),
      { seed: 3, numRuns: 3000 },
    );
  });
});

void describe("what is asked upstream and what the client gets", () => {
  const asker = query("A.Test", { additionals: [opt(0x8000, [cookie])] });

  void test("the client's OPT record stays here: its DO bit goes upstream in one of ours, with AD, and nothing else", () => {
    const asked = packets.decode(upstreamQuery(asker, parseQuery(asker)!));
    assert.equal(asked.questions![0]!.name, "A.Test");
    assert.equal(asked.flag_ad, true);
    const [sent] = asked.additionals as packets.OptAnswer[];
    assert.deepEqual([sent!.udpPayloadSize, sent!.flag_do, sent!.options.length], [1232, true, 0]);
  });

  void test("a client gets its id, its spelling, and an OPT record exactly if it sent one", () => {
    const read = readResponse(response("a.test", [opt(0, [cookie])]), END("a.test"))!;
    for (const packet of [query("a.TEST", { id: 9 }), asker]) {
      const { id, questions, additionals, answers } = packets.decode(replyFrom(read, packet, parseQuery(packet)!, 0));
      const mine = packets.decode(packet);
      assert.equal(id, mine.id);
      assert.deepEqual(questions, mine.questions);
      assert.equal(additionals!.length, mine.additionals!.length);
      assert.equal((answers![0] as { ttl: number }).ttl, 60);
    }
  });

  void test("TTLs grow less with age, and never below 0; those with the top bit set are 0 (RFC 2181 §8)", () => {
    const bytes = response("a.test");
    const read = readResponse(bytes, END("a.test"))!;
    const packet = query("a.test");
    const ttl = (age: number | "over"): number =>
      (packets.decode(replyFrom(read, packet, parseQuery(packet)!, age)).answers![0] as { ttl: number }).ttl;
    assert.deepEqual([ttl(0), ttl(1), ttl(59), ttl(61), ttl("over")], [60, 59, 1, 0, 0]);
    bytes[read.ttls[0]!] = 0x80;
    assert.equal(ttl(1), 0);
  });

  void test("AD is told to those alone who asked with AD or DO (RFC 6840 §5.8)", () => {
    const bytes = response("a.test");
    bytes[3] = bytes[3]! | 0x20;
    const read = readResponse(bytes, END("a.test"))!;
    const isTold = (packet: Buffer): boolean => (replyFrom(read, packet, parseQuery(packet)!, 0)[3]! & 0x20) !== 0;
    assert.ok(!isTold(query("a.test")));
    assert.ok(isTold(query("a.test", { flags: 0x120 })));
    assert.ok(isTold(query("a.test", { additionals: [opt(0x8000)] })));
  });

  void test("a response answers a question in any spelling, and no other one", () => {
    const asked = query("a.test");
    assert.ok(answersQuestion(asked, END("a.test"), response("A.tesT")));
    assert.ok(!answersQuestion(asked, END("a.test"), response("b.test")));
    assert.ok(!answersQuestion(asked, END("a.test"), query("a.test")));
    const other = response("a.test");
    other.writeUInt16BE(28, END("a.test") - 4);
    assert.ok(!answersQuestion(asked, END("a.test"), other));
  });
});
