import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import { RCODE } from "../../src/dns/names/record.ts";
import { framed, overTcp, overUdp, running } from "./running.ts";

const SVC = "testns.svc.cluster.local";
const NAME = `svc1.${SVC}`;

/** A query with these labels, bytes one to one; `tail` stands behind the name. */
const query = (
  labels: readonly string[],
  tail = "\0\x01\0\x01",
  flags = 0x0100,
  additional: Buffer = Buffer.alloc(0),
): Buffer => {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(7, 0);
  head.writeUInt16BE(flags, 2);
  head[5] = 1;
  head[11] = additional.length > 0 ? 1 : 0;
  const name = labels.map((label) => String.fromCharCode(label.length) + label).join("");
  return Buffer.concat([head, Buffer.from(`${name}\0${tail}`, "latin1"), additional]);
};
const opt = (size: number, options: Buffer = Buffer.alloc(0), flags = 0, version = 0): Buffer => {
  const record = Buffer.alloc(11);
  record[2] = 41;
  record.writeUInt16BE(size, 3);
  record[6] = version;
  record.writeUInt16BE(flags, 7);
  record.writeUInt16BE(options.length, 9);
  return Buffer.concat([record, options]);
};
const option = (code: number, data: string): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(code, 0);
  head.writeUInt16BE(data.length / 2, 2);
  return Buffer.concat([head, Buffer.from(data, "hex")]);
};
const svc = NAME.split(".");
const rcode = (reply: Buffer): number => reply[3]! & 0x0f;
const counts = (reply: Buffer): number[] => [4, 6, 8, 10].map((at) => reply.readUInt16BE(at));

void describe("EDNS", () => {
  /** What, the OPT record. */
  const table: readonly (readonly [string, Buffer])[] = [
    ["a size of 0", opt(0)],
    ["a size of 100", opt(100)],
    ["a size of 65,535", opt(65_535)],
    ["a client's cookie (RFC 7873)", opt(1232, option(10, "0123456789abcdef"))],
    ["a cookie of both sides that is not ours", opt(1232, option(10, "0123456789abcdef0123456789abcdef"))],
    ["padding (RFC 7830)", opt(1232, option(12, "00".repeat(400)))],
    ["a client's subnet (RFC 7871)", opt(1232, option(8, "00011800c00002"))],
    ["options that nobody knows", opt(1232, Buffer.concat([option(65_001, "00"), option(65_002, "")]))],
    ["flags that nobody knows", opt(1232, Buffer.alloc(0), 0x7fff)],
  ];
  for (const [what, record] of table) {
    void test(`RFC 6891: ${what} changes nothing: the answer, and an OPT record without options`, async (t) => {
      const { dns, port } = await running(t);
      await dns.synced();
      const reply = (await overUdp(port, query(svc, undefined, undefined, record)))!;
      assert.equal(rcode(reply), 0);
      assert.deepEqual(counts(reply), [1, 1, 0, 1]);
      assert.deepEqual(reply.subarray(-11), Buffer.from("00002904d0000000000000", "hex"));
    });
  }

  void test("RFC 3225: DO is copied, and nothing else of its flags", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const reply = (await overUdp(port, query(svc, undefined, undefined, opt(1232, Buffer.alloc(0), 0xffff))))!;
    assert.deepEqual(reply.subarray(-11), Buffer.from("00002904d0000080000000", "hex"));
  });

  void test("RFC 6891 §6.1.3: another version is BADVERS, told with our own version, 0", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const reply = (await overUdp(port, query(svc, undefined, undefined, opt(1232, Buffer.alloc(0), 0, 1))))!;
    assert.deepEqual([rcode(reply), counts(reply)], [0, [1, 0, 0, 1]]);
    assert.deepEqual(reply.subarray(-11), Buffer.from("00002904d0010000000000", "hex"));
  });

  void test("RFC 6891 §6.1.1: two OPT records are an error of form", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const packet = query(svc, undefined, undefined, Buffer.concat([opt(1232), opt(1232)]));
    packet[11] = 2;
    assert.equal(rcode((await overUdp(port, packet))!), RCODE.FORMERR);
  });
});

void describe("types", () => {
  void test("DNS-066: ANY is a type that no name has: NODATA for names that are there, NXDOMAIN for others", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const ANY = "\0\xff\0\x01";
    for (const [name, code] of [
      [NAME, 0],
      [`hdls1.${SVC}`, 0],
      [`external.${SVC}`, 0],
      [SVC, 0],
      ["cluster.local", 0],
      ["dns-version.cluster.local", 0],
      ["1-2-3-4.testns.pod.cluster.local", 0],
      ["1.0.0.10.in-addr.arpa", 0],
      [`svc0.${SVC}`, RCODE.NXDOMAIN],
      ["nons.svc.cluster.local", RCODE.NXDOMAIN],
    ] as const) {
      for (const reply of [
        (await overUdp(port, query(name.split("."), ANY)))!,
        (await overTcp(port, [framed(query(name.split("."), ANY))], 1))[0]!,
      ]) {
        assert.equal(rcode(reply), code, name);
        assert.deepEqual(counts(reply), [1, 0, 1, 0], name);
        assert.equal(packets.decode(reply).authorities?.[0]?.type, "SOA");
      }
    }
  });

  void test("RFC 8482: ANY of other people's names is asked of the upstream as it is", async (t) => {
    const upstream = createSocket("udp4");
    upstream.on("message", (packet, from) => {
      const end = packet.indexOf(0, 12) + 5;
      const reply = Buffer.concat([
        packet.subarray(0, end),
        Buffer.from("c00c000d00010000003c0009075246433834383200", "hex"),
      ]);
      reply[2] = 0x81;
      reply[3] = 0x80;
      reply.writeUInt32BE(0x0001_0000, 6);
      reply.writeUInt16BE(0, 10);
      if (packet.readUInt16BE(end - 4) === 255) upstream.send(reply, from.port, from.address);
    });
    upstream.bind(0, "127.0.0.1");
    await once(upstream, "listening");
    t.after(() => upstream.close());
    const { dns, port } = await running(t, { upstreams: [`127.0.0.1:${upstream.address().port}`] });
    await dns.synced();
    const reply = (await overUdp(port, query(["example", "com"], "\0\xff\0\x01")))!;
    assert.deepEqual([rcode(reply), counts(reply)], [0, [1, 1, 0, 0]]);
    assert.ok(reply.includes("RFC8482"));
  });

  void test("DNS-064: zone transfers are refused, over UDP and TCP, of the cluster's zone, names in it, and others", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    for (const type of ["\0\xfb", "\0\xfc"]) {
      for (const name of ["cluster.local", NAME, "in-addr.arpa", "example.com"]) {
        const packet = query(name.split("."), `${type}\0\x01`);
        assert.equal(rcode((await overUdp(port, packet))!), RCODE.REFUSED, name);
        const whole = await overTcp(port, [framed(packet)], 1);
        assert.deepEqual([rcode(whole[0]!), counts(whole[0]!)], [RCODE.REFUSED, [1, 0, 0, 0]], name);
      }
    }
  });
});

void describe("names", () => {
  const of63 = "x".repeat(63);
  const wire = (labels: readonly string[]): number => labels.reduce((sum, { length }) => sum + length + 1, 1);

  void test("RFC 1035 §2.3.4, DNS-073: 255 octets and labels of 63 are names, which are not there; 256 octets and labels of 64 are none", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const room = 255 - wire([of63, of63, of63, "cluster", "local"]) - 1;
    const whole = [of63, of63, of63, "y".repeat(room), "cluster", "local"];
    assert.equal(wire(whole), 255);
    const reply = (await overUdp(port, query(whole)))!;
    assert.equal(rcode(reply), RCODE.NXDOMAIN);
    assert.deepEqual(reply.subarray(12, 12 + 255), query(whole).subarray(12, 12 + 255));
    const over = [...whole];
    over[3] = "y".repeat(room + 1);
    assert.equal(rcode((await overUdp(port, query(over)))!), RCODE.FORMERR);
    assert.equal(rcode((await overUdp(port, query(["x".repeat(64), "cluster", "local"])))!), RCODE.FORMERR);
    assert.equal(rcode((await overUdp(port, query([of63, ...svc.slice(1)])))!), RCODE.NXDOMAIN);
  });

  void test("DNS-018, DNS-070: any byte may stand in a name: Unicode, spaces, dots, zeros and underscores are not there, and come back as sent", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    for (const label of ["b\u00c3\u00bccher", "a b", "a.b", "\0", "\xff\xfe", "_", "-", "*", "svc1\\032", "@"]) {
      const sent = query([label, ...svc.slice(1)]);
      for (const reply of [(await overUdp(port, sent))!, (await overTcp(port, [framed(sent)], 1))[0]!]) {
        assert.equal(rcode(reply), RCODE.NXDOMAIN, JSON.stringify(label));
        assert.deepEqual(reply.subarray(12, sent.length), sent.subarray(12), JSON.stringify(label));
      }
    }
    // A dot in a label makes no border between labels.
    assert.equal(rcode((await overUdp(port, query([`svc1.testns`, ...svc.slice(2)])))!), RCODE.NXDOMAIN);
  });
});

void describe("headers", () => {
  void test("without RD the answer is the same, and says that none was asked for", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const reply = (await overUdp(port, query(svc, undefined, 0)))!;
    assert.deepEqual([reply[2], rcode(reply), counts(reply)], [0x84, 0, [1, 1, 0, 0]]);
  });

  void test("bits of the header that a query has no use for do not come back; CD does (RFC 4035 §3.1.6)", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    // AA, TC, RA, Z, AD and a response code.
    const reply = (await overUdp(port, query(svc, undefined, 0x0100 | 0x0600 | 0x00ef)))!;
    assert.deepEqual([reply[2], reply[3]], [0x85, 0]);
    assert.equal((await overUdp(port, query(svc, undefined, 0x0110)))![3], 0x10);
  });

  for (const [what, tail, name] of [
    ["CHAOS, of a name of ours", "\0\x01\0\x03", svc],
    ["CHAOS, of version.bind", "\0\x10\0\x03", ["version", "bind"]],
    ["ANY", "\0\x01\0\xff", svc],
    ["NONE", "\0\x01\0\xfe", svc],
    ["0", "\0\x01\0\0", svc],
  ] as const) {
    void test(`class ${what}: refused`, async (t) => {
      const { dns, port } = await running(t);
      await dns.synced();
      const reply = (await overUdp(port, query(name, tail)))!;
      assert.deepEqual([rcode(reply), counts(reply)], [RCODE.REFUSED, [1, 0, 0, 0]]);
    });
  }

  void test("every other opcode is not implemented, and is copied into the answer", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    for (let opcode = 1; opcode < 16; opcode += 1) {
      const reply = (await overUdp(port, query(svc, undefined, opcode << 11)))!;
      assert.deepEqual([reply[2]! >> 3, rcode(reply)], [0x10 | opcode, RCODE.NOTIMP]);
    }
  });

  void test("no question, or two, are an error of form", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const none = query(svc).subarray(0, 12);
    none[5] = 0;
    const two = Buffer.concat([query(svc), query(svc).subarray(12)]);
    two[5] = 2;
    for (const packet of [none, two]) {
      const reply = (await overUdp(port, packet))!;
      assert.deepEqual([rcode(reply), counts(reply)], [RCODE.FORMERR, [0, 0, 0, 0]]);
    }
  });

  void test("a response is answered by silence, over UDP and TCP, and so nothing goes round between two servers", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const socket = createSocket("udp4");
    t.after(() => socket.close());
    const ids: number[] = [];
    socket.on("message", (reply) => ids.push(reply.readUInt16BE(0)));
    for (const packet of [
      query(svc, undefined, 0x8180),
      query(svc, undefined, 0x8000),
      Buffer.alloc(11),
      Buffer.alloc(0),
    ]) {
      socket.send(packet, port, "127.0.0.1");
    }
    const last = query(svc);
    last.writeUInt16BE(99, 0);
    const answered = once(socket, "message");
    // Packets of one socket are taken in order: what comes first is the answer to the last.
    socket.send(last, port, "127.0.0.1");
    await answered;
    assert.deepEqual(ids, [99]);
    const replies = await overTcp(port, [framed(query(svc, undefined, 0x8180)), framed(last)], 1);
    assert.equal(replies[0]!.readUInt16BE(0), 99);
  });

  void test("a query longer than any has to be is refused unread, and another is answered", async (t) => {
    const { dns, port } = await running(t);
    await dns.synced();
    const long = Buffer.concat([query(svc), Buffer.alloc(8000)]);
    assert.equal(rcode((await overUdp(port, long))!), RCODE.FORMERR);
    assert.equal(rcode((await overUdp(port, query(svc)))!), 0);
  });
});
