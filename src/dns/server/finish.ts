import type { Transport } from "../forward/outside.ts";
import type { Search } from "../names/record.ts";
import { LOWER, type Query } from "../wire/query.ts";
import { OPT_LENGTH, writeOpt } from "../wire/reply.ts";
import { encode, type Encoded, type WireAnswer } from "../wire/writer.ts";
import type { Asked } from "./asked.ts";
import { recurses, type Block } from "./block.ts";
import type { Ready } from "./bytes.ts";

/** Makes answers out for those who ask: the same answer has other bytes for each of them. */
export interface Finisher {
  /** An answer as bytes that are kept. `packet` is a query for it, of labels `labels`; `plugin` is who answers. */
  readonly prepare: (
    asked: Pick<Asked, "packet" | "query" | "plugin">,
    labels: readonly string[],
    block: Block,
    answer: WireAnswer,
    search?: Search,
  ) => Ready;
  /** The bytes for this asker: its id, its spelling of the question, its EDNS; addresses in a new order (DNS-021). */
  readonly finish: (packet: Buffer, query: Query, transport: Transport, ready: Ready) => Buffer;
}

/** Without EDNS an answer over UDP has at most this many bytes (RFC 1035 §4.2.1). */
const PLAIN_UDP = 512;
/** More than this we never send in one datagram, whatever the asker says. */
const LARGEST_UDP = 4096;

function limitOf(query: Query, transport: Transport): number {
  if (transport === "tcp") return 65_535;
  return query.udpSize === undefined ? PLAIN_UDP : Math.min(query.udpSize, LARGEST_UDP);
}

/** `random`: at least 0, below 1. `serial`: of every zone now (DNS-059). */
export function createFinisher(options: { readonly random: () => number; serial(): number }): Finisher {
  const { random } = options;

  const prepare = (
    { packet, query, plugin }: Pick<Asked, "packet" | "query" | "plugin">,
    labels: readonly string[],
    block: Block,
    answer: WireAnswer,
    search?: Search,
  ): Ready => {
    const whole = encode(packet, query.end, labels, answer, recurses(block), 65_535 - OPT_LENGTH);
    // Kept in lower case, as most ask: only other spellings have to be written over it.
    if (!query.isLower) for (let at = 12; at < query.end - 4; at += 1) whole.bytes[at] = LOWER[whole.bytes[at]!]!;
    // Most answers fit whoever asks.
    const isNeeded = search !== undefined || whole.bytes.length + OPT_LENGTH > PLAIN_UDP;
    return {
      ...(isNeeded ? { from: { answer, labels } } : {}),
      block,
      plugin,
      ...(search === undefined ? {} : { search }),
      whole,
    };
  };

  /** As much of an answer as fits; its records are shuffled before, so that each has the same chance of being left in. */
  const shortened = (packet: Buffer, query: Query, { from, block }: Ready, limit: number): Encoded => {
    const { answer, labels } = from!;
    return encode(packet, query.end, labels, shuffled(answer, random), recurses(block), limit);
  };

  const finish = (packet: Buffer, query: Query, transport: Transport, ready: Ready): Buffer => {
    const opt = query.udpSize === undefined ? 0 : OPT_LENGTH;
    const limit = limitOf(query, transport);
    const { whole, block } = ready;
    if (block.rotates && whole.movableCount > 1) {
      // A random record comes first each time; over several askers this shuffles all of them.
      const pick = Math.floor(random() * whole.movableCount);
      const size = whole.movableSize;
      const from = whole.movableAt + pick * size;
      const first = Buffer.from(whole.bytes.subarray(whole.movableAt, whole.movableAt + size));
      whole.bytes.copyWithin(whole.movableAt, from, from + size);
      whole.bytes.set(first, from);
    }
    const fits = whole.bytes.length + opt <= limit;
    if (!fits && whole.movableCount > 0) return cut(packet, query, ready, limit, random);
    const made = fits ? whole : shortened(packet, query, ready, limit - opt);
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
    if (made.serialAt > 0) reply.writeUInt32BE(options.serial(), made.serialAt);
    if (opt > 0) {
      reply[11] = reply[11]! + 1;
      writeOpt(reply, length, query.dnssecOk);
    }
    return reply;
  };

  return { prepare, finish };
}

/** As many records of equal size as fit, from a random one on: all have the same chance of being left in. Sets TC (RFC 2181 §9). */
function cut(packet: Buffer, query: Query, { whole, block }: Ready, limit: number, random: () => number): Buffer {
  const { bytes, movableAt, movableSize, movableCount } = whole;
  const opt = query.udpSize === undefined ? 0 : OPT_LENGTH;
  const count = Math.min(movableCount, Math.floor((limit - opt - movableAt) / movableSize));
  const end = movableAt + count * movableSize;
  const reply = Buffer.allocUnsafe(end + opt);
  bytes.copy(reply, 0, 0, movableAt);
  packet.copy(reply, 12, 12, query.end);
  const start = block.rotates ? Math.floor(random() * movableCount) : 0;
  const first = Math.min(count, movableCount - start);
  bytes.copy(reply, movableAt, movableAt + start * movableSize, movableAt + (start + first) * movableSize);
  bytes.copy(reply, movableAt + first * movableSize, movableAt, movableAt + (count - first) * movableSize);
  reply[0] = packet[0]!;
  reply[1] = packet[1]!;
  reply[2] = reply[2]! | 0x02 | (packet[2]! & 0x01);
  reply[3] = reply[3]! | (packet[3]! & 0x10);
  reply.writeUInt16BE(count, 6);
  reply.writeUInt32BE(0, 8);
  if (opt > 0) {
    reply[11] = 1;
    writeOpt(reply, end, query.dnssecOk);
  }
  return reply;
}

/** The records in any order. */
function shuffled(answer: WireAnswer, random: () => number): WireAnswer {
  const answers = [...answer.answers];
  if (answers.some(({ type }) => type === "CNAME")) return answer;
  for (let at = answers.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [answers[at], answers[other]] = [answers[other]!, answers[at]!];
  }
  return { ...answer, answers };
}

/**
 * An upstream's reply that is longer than the asker takes becomes its header and question, marked truncated (DNS-057), with
 * an OPT record for an asker that sent one (RFC 6891 §7).
 */
export function fitted(reply: Buffer, query: Query, transport: Transport): Buffer {
  const limit = limitOf(query, transport);
  if (reply.length <= limit) return reply;
  const hasOpt = query.udpSize !== undefined;
  const short = Buffer.alloc(query.end + (hasOpt ? OPT_LENGTH : 0));
  reply.copy(short, 0, 0, query.end);
  short[2] = short[2]! | 0x02;
  short.fill(0, 6, 12);
  if (hasOpt) {
    short[11] = 1;
    writeOpt(short, query.end, query.dnssecOk);
  }
  return short;
}
