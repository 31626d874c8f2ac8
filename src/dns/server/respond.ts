import type { Log } from "../../observe/log.ts";
import type { Forwarder } from "../forward/forwarder.ts";
import type { Contents } from "../names/contents.ts";
import { isOurs, lookup } from "../names/lookup.ts";
import { RCODE, TYPE, type Lookup } from "../names/record.ts";
import { noData, soaRecord, type Zone } from "../names/zone.ts";
import { labelsOf, LOWER, parseQuery, type Query } from "../wire/query.ts";
import { isRefused, NOT_AUTHORITATIVE, NOT_READY, OPT_LENGTH, plainReply, writeOpt } from "../wire/reply.ts";
import { encode } from "../wire/writer.ts";
import { createByteCache, type Ready } from "./bytes.ts";

export type Transport = "udp" | "tcp";

/** Turns one query into one response; undefined is silence. Never throws, and its promise never rejects. */
export interface Responder {
  respond(packet: Buffer, transport: Transport): Buffer | undefined | Promise<Buffer | undefined>;
  /** Forgets the bytes of every answer that depends on one of these words. */
  drop(changed: Iterable<string>): void;
}

export interface ResponderOptions {
  readonly zone: Zone;
  readonly contents: Contents;
  /** False until everything has been listed once: till then names of the zone get SERVFAIL (DNS-080). */
  isReady(): boolean;
  /** For names outside the zone; without it they are refused. */
  readonly forwarder: Forwarder | undefined;
  readonly log: Log;
  /** At least 0, below 1. */
  readonly random: () => number;
}

/** Without EDNS an answer over UDP has at most this many bytes (RFC 1035 §4.2.1). */
const PLAIN_UDP = 512;
/** More than this we never send in one datagram, whatever the asker says. */
const LARGEST_UDP = 4096;
const CACHED_ANSWERS = 32_768;

const REFUSED_OUTSIDE = { code: NOT_AUTHORITATIVE, text: "not a name of the cluster, and no upstream resolver is set" };
const NOT_SYNCED = { code: NOT_READY, text: "the cluster's Services have not been listed yet" };

function limitOf(query: Query, transport: Transport): number {
  if (transport === "tcp") return 65_535;
  return query.udpSize === undefined ? PLAIN_UDP : Math.min(query.udpSize, LARGEST_UDP);
}

export function createResponder(options: ResponderOptions): Responder {
  const { zone, contents, forwarder, log, random } = options;
  const cache = createByteCache(CACHED_ANSWERS);
  const recursion = forwarder !== undefined;

  const prepare = (packet: Buffer, query: Query, labels: readonly string[], { answer }: Lookup): Ready => {
    const whole = encode(packet, query.end, labels, answer, recursion, 65_535 - OPT_LENGTH);
    // Kept in lower case, as most ask: only other spellings have to be written over it.
    for (let at = 12; at < query.end - 4; at += 1) whole.bytes[at] = LOWER[whole.bytes[at]!]!;
    return { answer, labels, whole };
  };

  /** The bytes for this asker: its id, its spelling of the question, its EDNS; addresses in a new order (DNS-021). */
  const finish = (packet: Buffer, query: Query, transport: Transport, ready: Ready): Buffer => {
    const opt = query.udpSize === undefined ? 0 : OPT_LENGTH;
    const limit = limitOf(query, transport);
    const { whole, answer, labels } = ready;
    if (whole.movableCount > 1) {
      // A random record comes first each time; over several askers this shuffles all of them.
      const pick = Math.floor(random() * whole.movableCount);
      const size = whole.movableSize;
      const from = whole.movableAt + pick * size;
      const first = Buffer.from(whole.bytes.subarray(whole.movableAt, whole.movableAt + size));
      whole.bytes.copyWithin(whole.movableAt, from, from + size);
      whole.bytes.set(first, from);
    }
    const fits = whole.bytes.length + opt <= limit;
    const made = fits ? whole : encode(packet, query.end, labels, shuffled(answer, random), recursion, limit - opt);
    const length = made.bytes.length;
    // A copy of its own: the socket may still hold these bytes when the next asker's are written.
    const reply = Buffer.allocUnsafe(length + opt);
    reply.set(made.bytes);
    if (fits && !query.isLower) {
      for (let at = 12; at < query.end; at += 1) reply[at] = packet[at]!;
    }
    reply[0] = packet[0]!;
    reply[1] = packet[1]!;
    reply[2] = reply[2]! | (packet[2]! & 0x01);
    reply[3] = reply[3]! | (packet[3]! & 0x10);
    if (made.serialAt > 0) reply.writeUInt32BE(contents.serial, made.serialAt);
    if (opt > 0) {
      reply[11] = reply[11]! + 1;
      writeOpt(reply, length, query.dnssecOk);
    }
    return reply;
  };

  const outside = (packet: Buffer, query: Query, transport: Transport): Buffer | Promise<Buffer | undefined> =>
    forwarder === undefined
      ? plainReply(packet, query, RCODE.REFUSED, recursion, REFUSED_OUTSIDE)
      : forwarder
          .forward(packet, query.end, transport)
          .then((reply) => fitted(reply, query, limitOf(query, transport)))
          .catch((error: unknown) => {
            log.debug({ err: error }, "a query could not be forwarded");
            return plainReply(packet, query, RCODE.SERVFAIL, recursion);
          });

  /** An ExternalName whose target is outside the zone: its addresses come from upstream (DNS-050, DNS-052). */
  const chased = async (
    packet: Buffer,
    query: Query,
    transport: Transport,
    labels: readonly string[],
    found: Lookup & { readonly chase: string },
    upstream: Forwarder,
  ): Promise<Buffer> => {
    const answer = await upstream.addresses(found.chase, query.type).then(
      (records) => ({ ...found.answer, answers: [...found.answer.answers, ...records] }),
      (error: unknown) => {
        log.debug({ err: error, name: found.chase }, "the target of an ExternalName could not be resolved");
        return noData(soaRecord(zone, contents.serial));
      },
    );
    return finish(packet, query, transport, prepare(packet, query, labels, { answer, depends: [] }));
  };

  const answer = (
    packet: Buffer,
    query: Query,
    transport: Transport,
  ): Buffer | undefined | Promise<Buffer | undefined> => {
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) {
      return plainReply(packet, query, RCODE.REFUSED, recursion);
    }
    const labels = labelsOf(packet);
    if (!options.isReady() && isOurs(zone, labels)) {
      return plainReply(packet, query, RCODE.SERVFAIL, recursion, NOT_SYNCED);
    }
    const found = lookup(contents, zone, labels, query.type);
    if (found === undefined) return outside(packet, query, transport);
    const { chase } = found;
    if (chase !== undefined && forwarder !== undefined) {
      return chased(packet, query, transport, labels, { ...found, chase }, forwarder).catch((error: unknown) =>
        failed(packet, query, error),
      );
    }
    const ready = prepare(packet, query, labels, found);
    cache.set(query, ready, found.depends);
    return finish(packet, query, transport, ready);
  };

  const failed = (packet: Buffer, query: Query, error: unknown): Buffer => {
    log.error({ err: error, question: packet.toString("hex", 12, query.end) }, "a query could not be answered");
    return plainReply(packet, query, RCODE.SERVFAIL, recursion);
  };

  return {
    drop: (changed) => cache.drop(changed),
    respond(packet, transport) {
      const query = parseQuery(packet);
      if (query === undefined) return undefined;
      try {
        if (isRefused(query)) return plainReply(packet, query, query.rcode, recursion);
        const ready = cache.get(packet, query);
        return ready === undefined ? answer(packet, query, transport) : finish(packet, query, transport, ready);
      } catch (error) {
        return failed(packet, query, error);
      }
    },
  };
}

/** Before an answer is cut, its records are shuffled, so that each has the same chance of being left in. */
function shuffled(answer: Ready["answer"], random: () => number): Ready["answer"] {
  const answers = [...answer.answers];
  if (answers.some(({ type }) => type === "CNAME")) return answer;
  for (let at = answers.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [answers[at], answers[other]] = [answers[other]!, answers[at]!];
  }
  return { ...answer, answers };
}

/** An upstream's reply that is longer than the asker takes becomes its header and question, marked truncated (DNS-057). */
function fitted(reply: Buffer, query: Query, limit: number): Buffer {
  if (reply.length <= limit) return reply;
  const short = Buffer.from(reply.subarray(0, query.end));
  short[2] = short[2]! | 0x02;
  short.fill(0, 6, 12);
  return short;
}
