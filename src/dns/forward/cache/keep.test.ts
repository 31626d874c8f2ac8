import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import { usualCache } from "../../configuration/usual.ts";
import { readResponse } from "../response.ts";
import { keepingOf } from "./keep.ts";

const NAME = "a.test";
const a = (ttl: number, name = NAME): packets.Answer => ({ type: "A", name, ttl, data: "192.0.2.1" });
const cname = (ttl: number, name: string, data: string): packets.Answer => ({ type: "CNAME", name, ttl, data });
const ns: packets.Answer = { type: "NS", name: "test", ttl: 60, data: "ns.test" };
const soa = (ttl: number, minimum: number): packets.Answer => ({
  type: "SOA",
  name: "test",
  ttl,
  data: { mname: "ns.test", rname: "host.test", serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});

interface Told {
  readonly rcode?: number;
  readonly cut?: boolean;
  readonly answers?: packets.Answer[];
  readonly authorities?: packets.Answer[];
}

const read = ({ rcode = 0, cut = false, answers = [], authorities = [] }: Told) => {
  const bytes = packets.encode({
    type: "response",
    flags: 0x180 | rcode | (cut ? 0x200 : 0),
    questions: [{ name: NAME, type: "A" }],
    answers,
    authorities,
  });
  return readResponse(bytes, 12 + NAME.length + 6)!;
};

/** Kind and seconds; undefined when it is not kept. */
const kept = (told: Told, options = usualCache): string | undefined => {
  const keeping = keepingOf(read(told), options);
  return keeping === undefined ? undefined : `${keeping.kind} ${keeping.lifetime}`;
};

void describe("what is kept, and for how long", () => {
  const table: readonly (readonly [string, Told, string | undefined])[] = [
    ["an answer: its TTL", { answers: [a(60)] }, "success 60"],
    ["several: the least", { answers: [a(60), a(30)] }, "success 30"],
    ["the authority's TTL counts too", { answers: [a(600)], authorities: [ns] }, "success 60"],
    ["less than the least: the least", { answers: [a(0)] }, "success 5"],
    ["more than the most: the most", { answers: [a(86_400)] }, "success 3600"],
    ["aliases that lead to an answer", { answers: [cname(60, NAME, "b.test"), a(30, "b.test")] }, "success 30"],
    ["the answer before its alias", { answers: [a(30, "b.test"), cname(60, NAME, "b.test")] }, "success 30"],
    ["aliases that lead nowhere, no SOA", { answers: [cname(60, NAME, "b.test")] }, undefined],
    ["aliases that go in circles", { answers: [cname(60, NAME, "b.test"), cname(60, "b.test", NAME)] }, undefined],
    ["an answer to nobody", { answers: [a(60, "c.test")] }, undefined],
    ["cut", { answers: [a(60)], cut: true }, undefined],
    ["NXDOMAIN: the SOA's last field", { rcode: 3, authorities: [soa(600, 60)] }, "denial 60"],
    ["NXDOMAIN: the SOA's TTL", { rcode: 3, authorities: [soa(30, 900)] }, "denial 30"],
    ["NXDOMAIN for long: the most", { rcode: 3, authorities: [soa(86_400, 86_400)] }, "denial 1800"],
    ["NXDOMAIN for 0 seconds: the least", { rcode: 3, authorities: [soa(0, 0)] }, "denial 5"],
    ["NXDOMAIN without SOA", { rcode: 3 }, undefined],
    [
      "NXDOMAIN behind an alias",
      { rcode: 3, answers: [cname(20, NAME, "b.test")], authorities: [soa(60, 60)] },
      "denial 20",
    ],
    ["no data", { authorities: [soa(60, 60)] }, "denial 60"],
    ["no data behind an alias", { answers: [cname(60, NAME, "b.test")], authorities: [soa(9, 60)] }, "denial 9"],
    ["no data without SOA", {}, undefined],
    ["a referral", { authorities: [ns] }, undefined],
    ["SERVFAIL", { rcode: 2 }, "failure 5"],
    ["NOTIMP", { rcode: 4 }, "failure 5"],
    ["REFUSED", { rcode: 5 }, undefined],
    ["FORMERR", { rcode: 1 }, undefined],
  ];
  for (const [what, told, expected] of table) void test(what, () => assert.equal(kept(told), expected));

  void test("DNS-082: TTLs are told within the bounds, a denial's as RFC 2308 says", () => {
    const ttls = (told: Told): (number | undefined)[] => {
      const decoded = packets.decode(keepingOf(read(told), usualCache)!.response.bytes);
      return [...decoded.answers!, ...decoded.authorities!].map((record) => (record as { ttl: number }).ttl);
    };
    assert.deepEqual(ttls({ answers: [a(0), a(60), a(9999)] }), [5, 60, 3600]);
    assert.deepEqual(ttls({ rcode: 3, authorities: [soa(600, 60)] }), [60]);
  });

  void test("failures are kept for 5 minutes at the most (RFC 2308 §7), or not at all", () => {
    assert.equal(kept({ rcode: 2 }, { ...usualCache, servfail: 3600 }), "failure 300");
    assert.equal(kept({ rcode: 2 }, { ...usualCache, servfail: 0 }), undefined);
  });

  void test("where the most is 0 nothing is kept", () => {
    assert.equal(kept({ answers: [a(60)] }, { ...usualCache, success: { capacity: 9, ttl: 0, minTtl: 0 } }), undefined);
  });
});
