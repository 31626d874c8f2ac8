import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import * as fc from "fast-check";
import { canonicalIP } from "../../net/ip.ts";
import type { Answer, DnsRecord } from "../names/record.ts";
import { encode } from "./writer.ts";

const QUESTION = "web.testns.svc.cluster.local";
const query = (name = QUESTION): Buffer =>
  packets.encode({ type: "query", id: 9, flags: 0, questions: [{ name, type: "A" }] });
const answerOf = (answers: readonly DnsRecord[], rest: Partial<Answer> = {}): Answer => ({
  rcode: 0,
  authoritative: true,
  answers,
  authority: [],
  additional: [],
  ...rest,
});
const encoded = (answer: Answer, limit = 65_535, name = QUESTION) => {
  const packet = query(name);
  return encode(packet, packet.length, name.toLowerCase().split("."), answer, true, limit);
};

const label = fc.stringMatching(/^[a-z0-9]{1,9}$/);
const name = fc.oneof(
  fc.constantFrom(QUESTION, "testns.svc.cluster.local", "cluster.local", "ns.dns.cluster.local"),
  fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => [...labels, "svc", "cluster", "local"].join(".")),
);
const uint32 = fc.integer({ min: 0, max: 0x7fff_ffff });
const uint16 = fc.integer({ min: 0, max: 65_535 });
const common = { name, ttl: uint32 };
const record: fc.Arbitrary<DnsRecord> = fc
  .oneof(
    fc.record({ ...common, type: fc.constant("A" as const), address: fc.ipV4() }),
    fc.record({ ...common, type: fc.constant("AAAA" as const), address: fc.ipV6().map(canonicalIP) }),
    fc.record({ ...common, type: fc.constantFrom("CNAME" as const, "PTR" as const, "NS" as const), target: name }),
    fc.record({
      ...common,
      type: fc.constant("SRV" as const),
      priority: uint16,
      weight: uint16,
      port: uint16,
      target: name,
    }),
    fc.record({ ...common, type: fc.constant("TXT" as const), text: fc.stringMatching(/^[ -~]{0,200}$/) }),
    fc.record({
      ...common,
      type: fc.constant("SOA" as const),
      primary: name,
      mailbox: name,
      serial: uint32,
      refresh: uint32,
      retry: uint32,
      expire: uint32,
      minimum: uint32,
    }),
  )
  .map((each) => ({ ...each }));

/** What dns-packet reads of a record we wrote. */
function read(answer: packets.Answer): DnsRecord | undefined {
  if (answer.type === "OPT") return undefined;
  const base = { name: answer.name, ttl: (answer as { ttl: number }).ttl };
  if (answer.type === "A") return { ...base, type: "A", address: answer.data };
  if (answer.type === "AAAA") return { ...base, type: "AAAA", address: canonicalIP(answer.data) };
  if (answer.type === "CNAME" || answer.type === "PTR" || answer.type === "NS") {
    return { ...base, type: answer.type, target: answer.data };
  }
  if (answer.type === "SRV") {
    const { priority = -1, weight = -1, port, target } = answer.data;
    return { ...base, type: "SRV", priority, weight, port, target };
  }
  if (answer.type === "TXT") {
    return { ...base, type: "TXT", text: (answer.data as Buffer[]).map((part) => part.toString("latin1")).join("") };
  }
  if (answer.type !== "SOA") return undefined;
  const { mname, rname, serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0 } = answer.data;
  return { ...base, type: "SOA", primary: mname, mailbox: rname, serial, refresh, retry, expire, minimum };
}

void describe("encode", () => {
  void test("dns-packet reads back every record as it was", () => {
    const records = fc.array(record, { maxLength: 8 });
    fc.assert(
      fc.property(records, records, records, (answers, authority, additional) => {
        const { bytes } = encoded(answerOf(answers, { authority, additional }));
        const packet = packets.decode(bytes);
        assert.equal(packet.questions?.[0]?.name, QUESTION);
        assert.deepEqual(packet.answers?.map(read), answers);
        assert.deepEqual(packet.authorities?.map(read), authority);
        assert.deepEqual(packet.additionals?.map(read), additional);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  void test("DNS-021: an answer cut to any size stays readable, fits, says so by TC, and holds the first records", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), fc.integer({ min: 64, max: 1500 }), (answers, limit) => {
        const { bytes } = encoded(answerOf(answers), limit);
        assert.ok(bytes.length <= limit);
        const packet = packets.decode(bytes);
        const held = packet.answers?.map(read) ?? [];
        assert.deepEqual(held, answers.slice(0, held.length));
        assert.equal(packet.flag_tc, held.length < answers.length);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  void test("RFC 1035 §4.1.4: a name is written once, and what ends in it or in the question's points there", () => {
    const srv = (target: string): DnsRecord => ({
      name: QUESTION,
      ttl: 5,
      type: "SRV",
      priority: 0,
      weight: 1,
      port: 80,
      target,
    });
    const address = (owner: string): DnsRecord => ({ name: owner, ttl: 5, type: "A", address: "10.0.0.1" });
    const target = `a.${QUESTION}`;
    const sizeOf = (answers: DnsRecord[], additional: DnsRecord[]): number =>
      encoded(answerOf(answers, { additional })).bytes.length;
    const fixed = query().length + 12 + 6 + target.length + 2;
    // Pointers to: the target, its end, which is the question's, and the end of that; "xlocal" is no end of it.
    assert.equal(sizeOf([srv(target)], [address(target)]), fixed + 16);
    assert.equal(sizeOf([srv(target)], [address(`b.${target}`)]), fixed + 2 + 16);
    assert.equal(sizeOf([srv(target)], [address("cluster.local")]), fixed + 16);
    assert.equal(sizeOf([srv(target)], [address("ter.local")]), fixed + 4 + 16);
    assert.equal(sizeOf([srv(target)], [address(`c.${target}`), address(`d.c.${target}`)]), fixed + 2 + 16 + 2 + 16);
    assert.equal(sizeOf([srv(target), srv(target)], [address(target)]), fixed + 12 + 6 + target.length + 2 + 16);
  });

  void test("beyond 16 kB names are written out, as nothing can point there, and ends of names before it are pointed at", () => {
    const records = Array.from({ length: 900 }, (_, at): DnsRecord => ({
      name: QUESTION,
      ttl: 5,
      type: "SRV",
      priority: 0,
      weight: 1,
      port: at,
      target: `a${at}.elsewhere.test`,
    }));
    const additional = records.map((_, at): DnsRecord => ({
      name: `a${at}.elsewhere.test`,
      ttl: 5,
      type: "A",
      address: "10.0.0.1",
    }));
    const { bytes } = encoded(answerOf(records, { additional }));
    assert.ok(bytes.length > 0x4000);
    const packet = packets.decode(bytes);
    assert.deepEqual(packet.answers?.map(read), records);
    assert.deepEqual(packet.additionals?.map(read), additional);
  });

  void test("additional records that do not fit are left out without TC", () => {
    const glue: DnsRecord[] = Array.from({ length: 50 }, (_, at) => ({
      name: QUESTION,
      ttl: 5,
      type: "A",
      address: `10.0.0.${at}`,
    }));
    const packet = packets.decode(encoded(answerOf([], { additional: glue }), 512).bytes);
    assert.equal(packet.flag_tc, false);
    assert.ok(packet.additionals!.length > 20 && packet.additionals!.length < 50);
  });

  void test("names are written once: 28 addresses of one name fit in 512 bytes", () => {
    const answers: DnsRecord[] = Array.from({ length: 28 }, (_, at) => ({
      name: QUESTION,
      ttl: 5,
      type: "A",
      address: `10.0.0.${at}`,
    }));
    const { bytes, movableCount, movableSize } = encoded(answerOf(answers), 512);
    assert.equal(bytes.length, 12 + QUESTION.length + 2 + 4 + 28 * 16);
    assert.deepEqual([movableCount, movableSize], [28, 16]);
  });

  void test("RFC 2782: the target of an SRV record is written out, even where it could be pointed at", () => {
    const answers: DnsRecord[] = [
      { name: QUESTION, ttl: 5, type: "SRV", priority: 0, weight: 100, port: 80, target: QUESTION },
    ];
    const { bytes } = encoded(answerOf(answers));
    const data = bytes.subarray(bytes.length - QUESTION.length - 2);
    assert.equal(data.toString("latin1").replaceAll(/[^a-z]/g, "."), `.${QUESTION}.`);
  });

  /** Each record's type and data, as it stands in the packet. */
  const dataOf = (bytes: Buffer): { type: number; data: Buffer }[] => {
    let at = 12;
    const skipName = (): void => {
      while (bytes[at]! > 0 && bytes[at]! < 0xc0) at += bytes[at]! + 1;
      at += bytes[at] === 0 ? 1 : 2;
    };
    skipName();
    at += 4;
    const count = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
    return Array.from({ length: count }, () => {
      skipName();
      const type = bytes.readUInt16BE(at);
      const length = bytes.readUInt16BE(at + 8);
      at += 10 + length;
      return { type, data: bytes.subarray(at - length, at) };
    });
  };

  void test("RFC 2782: among whatever records, no SRV target has a pointer, and every other name is written once", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 12 }), (answers) => {
        const read = dataOf(encoded(answerOf(answers)).bytes);
        const shortened = new Set<string>();
        read.forEach(({ type, data }, at) => {
          const { type: kind, ...rest } = answers[at]!;
          if (type === 33 && "port" in rest) assert.equal(data.length, 6 + rest.target.length + 2);
          if ((type === 5 || type === 2 || type === 12) && "target" in rest) {
            if (shortened.has(rest.target)) assert.equal(data.length, 2, `${kind} ${rest.target}`);
            shortened.add(rest.target);
          }
        });
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  void test("any address is written as it is read", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (four, six) => {
        const { bytes } = encoded(
          answerOf([
            { name: QUESTION, ttl: 5, type: "A", address: four },
            { name: QUESTION, ttl: 5, type: "AAAA", address: canonicalIP(six) },
          ]),
        );
        const [a, aaaa] = dataOf(bytes);
        assert.equal([...a!.data].join("."), four);
        const parts = aaaa!.data.toString("hex").match(/.{4}/g)!;
        assert.equal(canonicalIP(parts.join(":")), canonicalIP(six));
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  void test("the question keeps its spelling, and answers point at it", () => {
    const spelled = "WEB.TestNS.svc.Cluster.Local";
    const { bytes } = encoded(answerOf([{ name: QUESTION, ttl: 5, type: "A", address: "10.0.0.1" }]), 512, spelled);
    const packet = packets.decode(bytes);
    assert.equal(packet.questions?.[0]?.name, spelled);
    assert.equal(packet.answers?.[0]?.name, spelled);
  });

  void test("a question whose label has a dot is never pointed at", () => {
    const packet = Buffer.concat([
      Buffer.from("000000000001000000000000", "hex"),
      Buffer.from("\x06ns.dns\x07cluster\x05local\x00\x00\x01\x00\x01", "latin1"),
    ]);
    const soa: DnsRecord = { name: "ns.dns.cluster.local", ttl: 5, type: "A", address: "10.0.0.1" };
    const { bytes } = encode(packet, packet.length, ["ns.dns", "cluster", "local"], answerOf([soa]), true, 512);
    assert.equal(bytes.subarray(packet.length, packet.length + 7).toString("latin1"), "\x02ns\x03dns");
  });

  void test("the serial number can be found again", () => {
    const soa: DnsRecord = {
      name: "cluster.local",
      ttl: 5,
      type: "SOA",
      primary: "ns.dns.cluster.local",
      mailbox: "hostmaster.cluster.local",
      serial: 0xdead_beef,
      refresh: 1,
      retry: 2,
      expire: 3,
      minimum: 4,
    };
    const { bytes, serialAt } = encoded(answerOf([], { authority: [soa] }));
    assert.equal(bytes.readUInt32BE(serialAt), 0xdead_beef);
  });

  void test("a name that no message can hold is an error that names it", () => {
    const target = `${"x".repeat(64)}.test`;
    assert.throws(() => encoded(answerOf([{ name: QUESTION, ttl: 5, type: "CNAME", target }])), /64 bytes, 1 to 63/);
  });
});
