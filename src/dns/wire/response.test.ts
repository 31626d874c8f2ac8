import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import * as fc from "fast-check";
import { readResponse } from "./response.ts";
import { encode, type WireRecord } from "./writer.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
/** A response for `example.test`, whose name stands at 12, with one record of this type whose owner points there. */
const response = (type: number, data: string, length = hex(data).length): Buffer =>
  Buffer.concat([
    hex("0001 8180 0001 0001 0000 0000  07 6578616d706c65 04 74657374 00 0001 0001"),
    hex(`c00c ${type.toString(16).padStart(4, "0")} 0001 0000003c ${length.toString(16).padStart(4, "0")}`),
    hex(data),
  ]);
const FULL = "07 6578616d706c65 04 74657374 00";
const TEST = "04 74657374 00";

void describe("readResponse", () => {
  /** What, type, data with pointers, data written out. */
  const table: readonly (readonly [string, number, string, string])[] = [
    ["NS", 2, "c00c", FULL],
    [
      "SOA",
      6,
      "c00c 01 61 c014 00000001000000020000000300000004 00000005",
      `${FULL} 01 61 ${TEST} 0000000100000002000000030000000400000005`,
    ],
    ["PTR", 12, "01 61 c014", `01 61 ${TEST}`],
    ["MX", 15, "000a c00c", `000a ${FULL}`],
    ["RP", 17, "c00c c014", `${FULL} ${TEST}`],
    ["SRV", 33, "0001 0002 0003 c00c", `0001 0002 0003 ${FULL}`],
    ["NAPTR", 35, "0001 0002 01 73 01 61 00 c014", `0001 0002 01 73 01 61 00 ${TEST}`],
    ["RRSIG", 46, `${"00".repeat(18)} c014 abcdef`, `${"00".repeat(18)} ${TEST} abcdef`],
    ["TXT, which has no names", 16, "02 c00c", "02 c00c"],
    ["HTTPS, whose names are never pointers", 65, "0001 00 0001 0003 02 6832", "0001 00 0001 0003 02 6832"],
    ["a type of the future", 65_000, "c00c", "c00c"],
  ];
  for (const [what, code, data, full] of table) {
    void test(`RFC 3597 §4: names in the data of ${what}`, () => {
      const { answers } = readResponse(response(code, data));
      assert.deepEqual(answers, [{ name: "example.test", ttl: 60, type: "raw", code, data: hex(full) }]);
    });
  }

  void test("an alias is read as one", () => {
    const { answers } = readResponse(response(5, "01 61 c014"));
    assert.deepEqual(answers, [{ name: "example.test", ttl: 60, type: "CNAME", target: "a.test" }]);
  });

  /** What, packet. */
  const bad: readonly (readonly [string, Buffer])[] = [
    ["a name that points at itself", response(2, "c02a")],
    ["a name that points forward", response(2, "c0ff")],
    ["a record that is cut short", response(2, "c00c", 9)],
    ["a name longer than its record", response(2, FULL, 3)],
    ["a label with a dot in an alias", response(5, "03 612e62 c014")],
    ["a header alone", hex("0001 8180 0001 0001 0000 0000")],
    ["less than a header", hex("0001 8180")],
    ["another class", hex(response(1, "c0000201").toString("hex").replace("c00c00010001", "c00c00010003"))],
  ];
  for (const [what, packet] of bad) {
    void test(`${what} is refused`, () => {
      assert.throws(() => readResponse(packet), RangeError);
    });
  }

  void test("whatever the bytes, it ends with records or a RangeError", () => {
    const base = response(15, "000a c00c");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const packet = Buffer.from(base);
        for (const [at, byte] of changes) packet[at] = byte;
        try {
          readResponse(packet);
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error));
        }
      }),
      { seed: 5, numRuns: 5000 },
    );
  });

  void test("what dns-packet writes and we read and write anew, dns-packet reads the same", () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,10}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
    const uint16 = fc.nat(65_535);
    const record = fc.oneof(
      fc.record({ type: fc.constant("A" as const), name, ttl: uint16, data: fc.ipV4() }),
      fc.record({
        type: fc.constantFrom("NS" as const, "CNAME" as const, "PTR" as const, "DNAME" as const),
        name,
        ttl: uint16,
        data: name,
      }),
      fc.record({
        type: fc.constant("MX" as const),
        name,
        ttl: uint16,
        data: fc.record({ preference: uint16, exchange: name }),
      }),
      fc.record({
        type: fc.constant("SRV" as const),
        name,
        ttl: uint16,
        data: fc.record({ priority: uint16, weight: uint16, port: uint16, target: name }),
      }),
    ) as fc.Arbitrary<packets.Answer>;
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), fc.array(record, { maxLength: 3 }), (answers, authorities) => {
        const packet = packets.encode({
          type: "response",
          id: 1,
          questions: [{ type: "A", name: "example.test" }],
          answers,
          authorities,
        });
        const read = readResponse(packet);
        const again = (records: readonly WireRecord[]) =>
          packets.decode(
            encode(
              packet,
              12 + 14 + 4,
              ["example", "test"],
              { ...read, authoritative: false, answers: records, authority: [], additional: [] },
              true,
              65_535,
            ).bytes,
          ).answers;
        const whole = packets.decode(packet);
        assert.deepEqual(again(read.answers), whole.answers);
        assert.deepEqual(again(read.authority), whole.authorities);
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});
