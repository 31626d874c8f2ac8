import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import * as packets from "dns-packet";
import * as fc from "fast-check";
import { ask, framed, overTcp, overUdp, running } from "./running.ts";
import { times } from "../lab/counts.ts";

/** Packets; fuzzing for long is `npm run soak`. */
const COUNT = times(10_000, 200_000);
const SVC = "testns.svc.cluster.local";
const SEED = 20_261;

const names = fc.constantFrom(
  `svc1.${SVC}`,
  `hdls1.${SVC}`,
  `_http._tcp.hdls1.${SVC}`,
  `external-to-service.${SVC}`,
  `svc0.${SVC}`,
  "cluster.local",
  "1.0.0.10.in-addr.arpa",
  "1-2-3-4.testns.pod.cluster.local",
  "example.com",
);
const types = fc.constantFrom<packets.RecordType>("A", "AAAA", "SRV", "PTR", "TXT", "SOA", "NS", "MX", "AXFR");
const valid = fc.tuple(names, types, fc.integer({ min: 0, max: 65_535 }), fc.boolean()).map(([name, type, id, edns]) =>
  packets.encode({
    type: "query",
    id,
    flags: packets.RECURSION_DESIRED,
    questions: [{ name, type }],
    ...(edns
      ? {
          additionals: [
            {
              type: "OPT" as const,
              name: "." as const,
              udpPayloadSize: 1232,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
        }
      : {}),
  }),
);
type Mutation = readonly [kind: number, at: number, byte: number];
const mutation: fc.Arbitrary<Mutation> = fc.tuple(fc.nat(4), fc.nat(120), fc.nat(255));

function mutate(packet: Buffer, changes: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(packet);
  for (const [kind, where, byte] of changes) {
    const at = bytes.length === 0 ? 0 : where % bytes.length;
    if (kind === 0 && bytes.length > 0) bytes[at] = byte;
    if (kind === 1 && bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << (byte & 7));
    if (kind === 2) bytes = bytes.subarray(0, at);
    if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)]);
    if (kind === 4) bytes = Buffer.concat([bytes, bytes.subarray(at)]);
  }
  return bytes;
}
const fuzzed = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.tuple(valid, fc.array(mutation, { minLength: 1, maxLength: 4 })).map((pair) => mutate(...pair)),
  },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: valid },
);

/** Where the question ends, read anew so that the server's own reader is not its judge; undefined where there is none. */
function questionEnd(packet: Buffer): number | undefined {
  let at = 12;
  while (at < packet.length && packet[at]! > 0 && packet[at]! < 64) at += packet[at]! + 1;
  return packet[at] === 0 && at + 5 <= packet.length && at - 12 < 255 ? at + 5 : undefined;
}

/** What makes a response to these bytes wrong, or undefined. */
function fault(sent: Buffer, response: Buffer): string | undefined {
  if (sent.length < 12 || (sent[2]! & 0x80) !== 0) return "something that is no query was answered";
  if (response.readUInt16BE(0) !== sent.readUInt16BE(0)) return "another id";
  if ((response[2]! & 0x80) === 0) return "not a response";
  if ((response[2]! & 0x79) !== (sent[2]! & 0x79)) return "another opcode, or RD not as asked";
  let read: packets.DecodedPacket;
  try {
    read = packets.decode(response);
  } catch (error) {
    return `unreadable: ${String(error)}`;
  }
  const rcode = response[3]! & 0x0f;
  const end = questionEnd(sent);
  const asked = response.readUInt16BE(4);
  if (asked > 1) return "more than one question";
  if (asked === 1 && (end === undefined || !sent.subarray(12, end).equals(response.subarray(12, end)))) {
    return "another question";
  }
  if (asked === 0 && (rcode === 0 || rcode === 3)) return "an answer without its question";
  if ((read.answers?.length ?? 0) > 0 && rcode !== 0) return "answers beside a failure";
  const question = read.questions?.[0];
  for (const answer of read.answers ?? []) {
    if (question === undefined) return "an answer to nothing";
    if (answer.type !== question.type && answer.type !== "CNAME") return `a ${answer.type} for ${question.type}`;
    if (answer.type !== "A" || /^(10\.0\.0\.|172\.0\.0\.)/.test(answer.data)) continue;
    if (!question.name.startsWith(`${answer.data.replaceAll(".", "-")}.`)) return "an address of nobody";
  }
  return undefined;
}

void test(`${COUNT} fuzzed packets: none answered wrongly, none fatal, and the next query is answered`, async (t) => {
  const { dns, port } = await running(t);
  await dns.synced();
  const all = fc.sample(fuzzed, { seed: SEED, numRuns: COUNT });
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  const responses = new Map<number, Buffer[]>();
  let received = 0;
  socket.on("message", (response) => {
    received += 1;
    const id = response.length >= 2 ? response.readUInt16BE(0) : -1;
    responses.set(id, [...(responses.get(id) ?? []), response]);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");

  let answered = 0;
  for (let start = 0; start < all.length; start += 100) {
    responses.clear();
    const batch = all.slice(start, start + 100).map((packet, at) => {
      const copy = Buffer.from(packet);
      // An id of its own for each, so that responses can be told apart.
      if (copy.length >= 2) copy.writeUInt16BE(at, 0);
      return copy;
    });
    for (const packet of batch) socket.send(packet, port, "127.0.0.1");
    // A valid query behind them: packets of one socket are taken in order, so its answer ends the batch.
    const last = ask(`svc1.${SVC}`, "A", 65_535);
    socket.send(last, port, "127.0.0.1");
    const deadline = Date.now() + 10_000;
    while (!responses.has(65_535)) {
      assert.ok(Date.now() < deadline, `no answer after the packets from ${start} on`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const [id, found] of responses) {
      if (id === 65_535) continue;
      answered += found.length;
      assert.equal(found.length, 1, `packet ${start + id} was answered ${found.length} times`);
      const sent = batch[id];
      assert.ok(sent !== undefined, "an answer to nobody");
      assert.equal(fault(sent, found[0]!), undefined, `packet ${start + id}: ${sent.toString("hex")}`);
    }
  }
  t.diagnostic(`${answered} of ${COUNT} were answered, ${received} responses in all`);
  assert.ok(answered > 0.3 * COUNT);
  const after = packets.decode((await overUdp(port, ask(`svc1.${SVC}`)))!);
  assert.equal(after.answers?.length, 1);
});

void test("fuzzed bytes over TCP end at most their own connection", async (t) => {
  const { dns, port } = await running(t);
  await dns.synced();
  const good = framed(ask(`svc1.${SVC}`, "A", 7));
  for (const packet of fc.sample(fuzzed, { seed: SEED + 1, numRuns: 300 })) {
    const sent = packet.length === 0 ? Buffer.from([1]) : packet;
    const responses = await overTcp(port, [framed(sent), good], sent.length >= 12 && (sent[2]! & 0x80) === 0 ? 2 : 1);
    const last = responses.at(-1);
    assert.ok(last !== undefined && packets.decode(last).answers?.length === 1, sent.toString("hex"));
  }
});
