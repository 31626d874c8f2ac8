import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { test, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as packets from "dns-packet";
import * as fc from "fast-check";
import { ask, framed, overTcp, overUdp, running } from "./running.ts";
import { times } from "../lab/counts.ts";

/** Packets, 50,000 together; a million in `npm run soak`. */
const OVER_UDP = times(40_000, 800_000);
const OVER_TCP = times(10_000, 200_000);
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

/**
 * Reads a response a second time, strictly and without dns-packet: every name ends, pointers lead backwards, data is as long as
 * it says, OPT stands alone, and nothing is left over. Answers what is wrong, or undefined.
 */
function strictFault(response: Buffer): string | undefined {
  let at = 12;
  const name = (): boolean => {
    let from = at;
    let end = -1;
    for (let total = 0; ;) {
      const length = response[from];
      if (length === undefined || total > 255) return false;
      if (length === 0) break;
      if (length >= 0xc0) {
        const to = ((length & 0x3f) << 8) | (response[from + 1] ?? 0);
        if (to >= from || to < 12) return false;
        if (end < 0) end = from + 2;
        from = to;
        continue;
      }
      if (length > 63) return false;
      total += length + 1;
      from += length + 1;
    }
    at = end < 0 ? from + 1 : end;
    return at <= response.length;
  };
  for (let left = response.readUInt16BE(4); left > 0; left -= 1) {
    if (!name()) return "a name of the question does not end";
    at += 4;
  }
  const records = response.readUInt16BE(6) + response.readUInt16BE(8) + response.readUInt16BE(10);
  let opts = 0;
  for (let left = records; left > 0; left -= 1) {
    const owner = response[at];
    if (!name() || at + 10 > response.length) return "a record is cut short";
    const type = response.readUInt16BE(at);
    if (type === 41) opts += owner === 0 ? 1 : 2;
    const length = response.readUInt16BE(at + 8);
    at += 10;
    const end = at + length;
    if (type === 1 && length !== 4) return "an address that is not of 4 bytes";
    if (type === 28 && length !== 16) return "an address that is not of 16 bytes";
    if (type === 2 || type === 5 || type === 12 || type === 6 || type === 33) {
      if (type === 33) at += 6;
      if (!name() || (type === 6 && !name())) return "a name in data does not end";
      if (type === 6) at += 20;
      if (at !== end) return "data is not as long as it says";
    }
    at = end;
  }
  return opts > 1 ? "more than one OPT record" : at === response.length ? undefined : "something stands behind the end";
}

const faultOf = (sent: Buffer, response: Buffer): string | undefined => fault(sent, response) ?? strictFault(response);

/** The packets from `start` on, each with an id of its own, so that responses can be told apart. */
function batchAt(start: number, count: number): Buffer[] {
  return fc.sample(fuzzed, { seed: SEED + start, numRuns: count }).map((packet, at) => {
    const copy = Buffer.from(packet);
    if (copy.length >= 2) copy.writeUInt16BE(at, 0);
    return copy;
  });
}

const BATCH = 100;
const LAST = 65_535;
const collect = (): void => {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
};
/** Bytes in use when everything that can go has gone. */
const inUse = (): number => {
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};
/** A ready answer to each made-up name in the zone is kept, as many as the limit allows: so much they may take. */
const MAY_GROW = 64 << 20;

interface Way {
  /** Sends these and then a good query; answers all responses once that of the good query is there. */
  exchange(batch: readonly Buffer[]): Promise<Buffer[]>;
}

/** Sends batches until there were so many packets; each response must be right, and memory flat after the first fifth. */
async function fuzz(t: TestContext, way: Way, count: number, offset: number): Promise<void> {
  let answered = 0;
  let before = 0;
  for (let start = 0; start < count; start += BATCH) {
    if (before === 0 && start >= count / 5) before = inUse();
    const batch = batchAt(offset + start, Math.min(BATCH, count - start));
    const seen = new Set<number>();
    for (const response of await way.exchange(batch)) {
      const id = response.length >= 2 ? response.readUInt16BE(0) : -1;
      if (id === LAST) continue;
      const sent = batch[id];
      assert.ok(sent !== undefined, "an answer to nobody");
      assert.ok(!seen.has(id), `packet ${start + id} was answered twice`);
      seen.add(id);
      assert.equal(faultOf(sent, response), undefined, `packet ${start + id}: ${sent.toString("hex")}`);
    }
    answered += seen.size;
  }
  const grown = inUse() - before;
  t.diagnostic(
    `${answered} of ${count} were answered; memory grew by ${(grown / 1e6).toFixed(1)} MB after the first fifth`,
  );
  assert.ok(answered > 0.3 * count);
  assert.ok(grown < MAY_GROW, `memory grew by ${grown} bytes`);
}

void test(`DNS-132: ${OVER_UDP} fuzzed packets over UDP: none answered wrongly, none fatal, memory flat`, async (t) => {
  const { dns, port } = await running(t);
  await dns.synced();
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  let responses: Buffer[] = [];
  let arrived = (): void => {};
  socket.on("message", (response) => {
    responses.push(response);
    if (response.readUInt16BE(0) === LAST) arrived();
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const good = ask(`svc1.${SVC}`, "A", LAST);
  const exchange = async (batch: readonly Buffer[]): Promise<Buffer[]> => {
    responses = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    arrived = resolve;
    const timer = setTimeout(() => reject(new Error("no answer to the query behind a batch")), 30_000);
    // Packets of one socket are taken in order, so the answer to the last ends the batch.
    for (const packet of [...batch, good]) socket.send(packet, port, "127.0.0.1");
    await promise.finally(() => clearTimeout(timer));
    return responses;
  };
  await fuzz(t, { exchange }, OVER_UDP, 0);
  assert.equal(packets.decode((await overUdp(port, ask(`svc1.${SVC}`)))!).answers?.length, 1);
});

void test(`DNS-132: ${OVER_TCP} fuzzed packets over TCP: none answered wrongly, none fatal, memory flat`, async (t) => {
  const { dns, port } = await running(t);
  await dns.synced();
  const good = ask(`svc1.${SVC}`, "A", LAST);
  const exchange = (batch: readonly Buffer[]): Promise<Buffer[]> => {
    // No length is 0: that ends a connection, as the next test shows.
    const frames = [...batch.filter(({ length }) => length > 0), good].map(framed);
    const socket = connect(port, "127.0.0.1", () => socket.end(Buffer.concat(frames)));
    const responses: Buffer[] = [];
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        responses.push(pending.subarray(2, 2 + pending.readUInt16BE(0)));
        pending = pending.subarray(2 + pending.readUInt16BE(0));
      }
    });
    const { promise, resolve, reject } = Promise.withResolvers<Buffer[]>();
    socket.on("error", reject);
    socket.on("close", () => resolve(responses));
    return promise.then((all) => {
      assert.equal(all.at(-1)?.readUInt16BE(0), LAST, "the query behind a batch was not answered");
      return all;
    });
  };
  await fuzz(t, { exchange }, OVER_TCP, OVER_UDP);
});

void test("frames that lie about their length end at most their own connection", async (t) => {
  const { dns, port } = await running(t);
  await dns.synced();
  const good = framed(ask(`svc1.${SVC}`, "A", 7));
  for (const packet of fc.sample(fuzzed, { seed: SEED + 1, numRuns: 200 })) {
    const frame = framed(packet);
    frame[1] = frame[1]! ^ 0x15;
    const socket = connect(port, "127.0.0.1", () => socket.end(Buffer.concat([frame, good])));
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "close");
    const [reply] = await overTcp(port, [good], 1);
    assert.equal(packets.decode(reply!).answers?.length, 1, frame.toString("hex"));
  }
});

void test("dig reads what it is answered without complaint, for every name and type that is fuzzed", async (t) => {
  const { dns, dig } = await running(t);
  await dns.synced();
  const flags = ["+noedns", "+bufsize=512", "+dnssec", "+cookie=0123456789abcdef", "+nord", "+tcp", "+cdflag"];
  const asked = fc.sample(fc.tuple(names, types, fc.constantFrom(...flags)), {
    seed: SEED + 2,
    numRuns: times(60, 600),
  });
  for (const [name, type, flag] of asked) {
    if (type === "AXFR") continue;
    const output = await dig("+qr", flag, name, type);
    assert.match(output, /Got answer/, `${name} ${type} ${flag}`);
    const serious = output
      .split("\n")
      .filter((line) => /bad packet|malformed|extra|mismatch|parser reports|FORMERR/i.test(line));
    assert.deepEqual(serious, [], `${name} ${type} ${flag}`);
  }
});
