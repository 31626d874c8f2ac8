import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import * as fc from "fast-check";
import { RCODE } from "../names/record.ts";
import { labelsOf, parseQuery } from "./query.ts";

const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join("."));
const type = fc.constantFrom("A", "AAAA", "SRV", "PTR", "TXT", "SOA", "NS", "CNAME", "MX");
const NUMBERS: Record<string, number> = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 };

const opt = (udpPayloadSize: number, flags: number, version = 0) => ({
  type: "OPT" as const,
  name: ".",
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion: version,
  flags,
  flag_do: flags !== 0,
  options: [],
});

const query = (question: string, extra: packets.Packet = {}): Buffer =>
  packets.encode({ type: "query", id: 7, flags: 0x100, questions: [{ name: question, type: "A" }], ...extra });

void describe("parseQuery", () => {
  void test("reads what dns-packet writes", () => {
    fc.assert(
      fc.property(name, type, fc.option(fc.integer({ min: 1, max: 65_535 })), fc.boolean(), (asked, kind, size, ok) => {
        const packet = packets.encode({
          type: "query",
          id: 1,
          questions: [{ name: asked, type: kind }],
          ...(size === null ? {} : { additionals: [opt(size, ok ? 0x8000 : 0)] }),
        });
        const read = parseQuery(packet);
        assert.equal(read?.rcode, RCODE.NOERROR);
        assert.deepEqual(labelsOf(packet), asked.toLowerCase().split("."));
        assert.equal(read.type, NUMBERS[kind]);
        assert.equal(read.udpSize, size === null ? undefined : Math.max(512, size));
        assert.equal(read.isLower, asked === asked.toLowerCase());
        assert.equal(read.dnssecOk, size !== null && ok);
        assert.equal(read.end, 12 + asked.length + 2 + 4);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  const changed = (change: (packet: Buffer) => void): Buffer => {
    const packet = query("a.b");
    change(packet);
    return packet;
  };
  const long = (labels: number): Buffer => query(Array.from({ length: labels }, () => "x".repeat(49)).join("."));
  const twice = query("a.b", { additionals: [opt(1232, 0), opt(1232, 0)] });
  /** What, packet, response code; undefined is silence. */
  const table: readonly (readonly [string, Buffer, number | undefined])[] = [
    ["nothing", Buffer.alloc(0), undefined],
    ["less than a header", Buffer.alloc(11), undefined],
    ["a response", changed((packet) => packet.writeUInt8(0x81, 2)), undefined],
    ["another opcode (UPDATE)", changed((packet) => packet.writeUInt8(5 << 3, 2)), RCODE.NOTIMP],
    ["no question", Buffer.from("000701000000000000000000", "hex"), RCODE.FORMERR],
    ["two questions", changed((packet) => packet.writeUInt16BE(2, 4)), RCODE.FORMERR],
    ["a question cut short", query("a.b").subarray(0, -1), RCODE.FORMERR],
    ["a name cut short", query("a.b").subarray(0, 14), RCODE.FORMERR],
    ["a pointer in the question", changed((packet) => packet.writeUInt16BE(0xc00c, 12)), RCODE.FORMERR],
    ["a label of a reserved kind", changed((packet) => packet.writeUInt8(0x41, 12)), RCODE.FORMERR],
    ["a name of 252 bytes", long(5), RCODE.NOERROR],
    ["a name of 302 bytes", long(6), RCODE.FORMERR],
    ["bytes behind the end", Buffer.concat([query("a.b"), Buffer.from([0])]), RCODE.FORMERR],
    ["a record that is not there", changed((packet) => packet.writeUInt16BE(1, 10)), RCODE.FORMERR],
    ["two OPT records", twice, RCODE.FORMERR],
    ["EDNS version 1", query("a.b", { additionals: [opt(1232, 0, 1)] }), RCODE.BADVERS],
    ["class CHAOS", changed((packet) => packet.writeUInt16BE(3, packet.length - 2)), RCODE.REFUSED],
    ["5,000 bytes", Buffer.concat([query("a.b"), Buffer.alloc(5000)]), RCODE.FORMERR],
  ];
  for (const [what, packet, rcode] of table) {
    void test(`${what}: ${rcode === undefined ? "silence" : `code ${rcode}`}`, () => {
      assert.equal(parseQuery(packet)?.rcode, rcode);
    });
  }

  void test("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseQuery(Buffer.from(bytes))),
      { seed: 2, numRuns: 2000 },
    );
  });
});
