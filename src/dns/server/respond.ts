import type { Log } from "../../observe/log.ts";
import type { Clients } from "../clients/clients.ts";
import type { Transport } from "../forward/outside.ts";
import { NOT_AUTHORITATIVE } from "../names/explanations.ts";
import { RCODE, TYPE, type DnsRecord, type Lookup, type Search } from "../names/record.ts";
import { labelsOf, LOWER, parseQuery, type Query } from "../wire/query.ts";
import { isRefused, OPT_LENGTH, plainReply, writeOpt } from "../wire/reply.ts";
import { encode } from "../wire/writer.ts";
import { encodeQuestion, recordsOf } from "./ask.ts";
import { blockFor, type Block } from "./block.ts";
import { createByteCache, type Ready } from "./bytes.ts";

/** Turns one query into one response; undefined is silence. Never throws, and its promise never rejects. */
export interface Responder {
  /** `client` is the address that asks. */
  respond(packet: Buffer, transport: Transport, client: string): Buffer | undefined | Promise<Buffer | undefined>;
  /** Forgets the bytes of every answer that depends on one of these words. */
  drop(changed: Iterable<string>): void;
}

export interface ResponderOptions {
  /** All that are asked at this responder's port. */
  readonly blocks: readonly Block[];
  /** Absent: nobody's search list is shortened. */
  readonly clients?: Clients;
  /** The serial number of every zone now (DNS-059). */
  serial(): number;
  readonly log: Log;
  /** At least 0, below 1. */
  readonly random: () => number;
}

/** Without EDNS an answer over UDP has at most this many bytes (RFC 1035 §4.2.1). */
const PLAIN_UDP = 512;
/** More than this we never send in one datagram, whatever the asker says. */
const LARGEST_UDP = 4096;
const CACHED_ANSWERS = 32_768;

/** How often an answer may lead to a further question that is asked here again (DNS-053). */
const MOST_HOPS = 8;
/** Nobody's address: questions that this server asks itself. */
const OURSELVES = "";

const REFUSED_OUTSIDE = { code: NOT_AUTHORITATIVE, text: "not a name of the cluster, and no upstream resolver is set" };

function limitOf(query: Query, transport: Transport): number {
  if (transport === "tcp") return 65_535;
  return query.udpSize === undefined ? PLAIN_UDP : Math.min(query.udpSize, LARGEST_UDP);
}

export function createResponder(options: ResponderOptions): Responder {
  const { blocks, log, random } = options;
  const cache = createByteCache(CACHED_ANSWERS);

  const prepare = (
    packet: Buffer,
    query: Query,
    labels: readonly string[],
    block: Block,
    answer: Lookup["answer"],
  ): Ready => {
    const whole = encode(packet, query.end, labels, answer, recurses(block), 65_535 - OPT_LENGTH);
    // Kept in lower case, as most ask: only other spellings have to be written over it.
    for (let at = 12; at < query.end - 4; at += 1) whole.bytes[at] = LOWER[whole.bytes[at]!]!;
    return { answer, labels, block, whole };
  };

  /** The bytes for this asker: its id, its spelling of the question, its EDNS; addresses in a new order (DNS-021). */
  const finish = (packet: Buffer, query: Query, transport: Transport, ready: Ready): Buffer => {
    const opt = query.udpSize === undefined ? 0 : OPT_LENGTH;
    const limit = limitOf(query, transport);
    const { whole, answer, labels, block } = ready;
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
    const made = fits
      ? whole
      : encode(packet, query.end, labels, shuffled(answer, random), recurses(block), limit - opt);
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

  const outside = (
    packet: Buffer,
    query: Query,
    transport: Transport,
    block: Block,
  ): Buffer | Promise<Buffer | undefined> => {
    if (block.outside === undefined) return plainReply(packet, query, RCODE.REFUSED, false, REFUSED_OUTSIDE);
    const limit = limitOf(query, transport);
    const resolved = block.outside.resolve(packet, query, transport);
    if (Buffer.isBuffer(resolved)) return fitted(resolved, query, limit);
    return resolved.then(
      (reply) => fitted(reply, query, limit),
      (error: unknown) => {
        log.debug({ err: error }, "a query could not be forwarded");
        return plainReply(packet, query, RCODE.SERVFAIL, true);
      },
    );
  };

  /** What this server itself answers to a further question, as records; rejects when that is a failure. */
  const askOurselves = async (name: string, type: number, hops: number): Promise<DnsRecord[]> => {
    if (hops > MOST_HOPS) throw new Error(`resolving ${name}: names lead to names more than ${MOST_HOPS} times`);
    const packet = await encodeQuestion(name, type);
    const reply = await answer(packet, parseQuery(packet)!, "tcp", OURSELVES, hops);
    if (reply === undefined) throw new Error(`resolving ${name}: there is no answer`);
    return recordsOf(reply, name, type);
  };

  /** An ExternalName whose target is outside the zone: its addresses come from upstream (DNS-050, DNS-052). */
  const chased = async (
    packet: Buffer,
    query: Query,
    transport: Transport,
    labels: readonly string[],
    block: Block,
    found: Lookup & Required<Pick<Lookup, "chase">>,
    hops: number,
  ): Promise<Buffer> => {
    const { name, failed } = found.chase;
    const whole = await askOurselves(name, query.type, hops + 1).then(
      (records) => ({ ...found.answer, answers: [...found.answer.answers, ...records] }),
      (error: unknown) => {
        log.debug({ err: error, name }, "the target of an ExternalName could not be resolved");
        return failed;
      },
    );
    return finish(packet, query, transport, prepare(packet, query, labels, block, whole));
  };

  /**
   * A name made with the first domain of a pod's search list, which no name of the cluster is meant by: the pod is told at once
   * what its resolver would find at the end of the list. Everybody else hears that there is no such name.
   */
  const searched = (
    packet: Buffer,
    query: Query,
    transport: Transport,
    ready: Ready,
    search: Search,
    client: string,
  ): Buffer | Promise<Buffer> => {
    const pod = options.clients?.of(client);
    if (pod?.searches === undefined || pod.namespace !== search.namespace || !isAddress(query.type)) {
      return finish(packet, query, transport, ready);
    }
    const { labels, block } = ready;
    const rest = search.rest.join(".");
    return askOurselves(rest, query.type, 1).then(
      (records) => {
        const alias: DnsRecord = { name: labels.join("."), ttl: 5, type: "CNAME", target: rest };
        const found = { ...ready.answer, rcode: RCODE.NOERROR, answers: [alias, ...records] };
        return finish(packet, query, transport, prepare(packet, query, labels, block, found));
      },
      (error: unknown) => failed(packet, query, error),
    );
  };

  const answer = (
    packet: Buffer,
    query: Query,
    transport: Transport,
    client: string,
    hops: number,
  ): Buffer | undefined | Promise<Buffer | undefined> => {
    const labels = labelsOf(packet);
    const block = blockFor(blocks, labels);
    if (block === undefined) return plainReply(packet, query, RCODE.REFUSED, false, REFUSED_OUTSIDE);
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) {
      return plainReply(packet, query, RCODE.REFUSED, recurses(block));
    }
    for (const source of block.sources) {
      const found = source.lookup(labels, query.type);
      if (found === undefined) continue;
      if (found.later !== undefined) return found.later.then(() => answer(packet, query, transport, client, hops));
      if (found.explanation !== undefined) {
        return plainReply(packet, query, found.answer.rcode, recurses(block), found.explanation);
      }
      const { chase } = found;
      if (chase !== undefined && block.outside !== undefined) {
        return chased(packet, query, transport, labels, block, { ...found, chase }, hops).catch((error: unknown) =>
          failed(packet, query, error),
        );
      }
      const ready: Ready = {
        ...prepare(packet, query, labels, block, found.answer),
        ...(found.search === undefined ? {} : { search: found.search }),
      };
      cache.set(query, ready, found.depends);
      return ready.search === undefined
        ? finish(packet, query, transport, ready)
        : searched(packet, query, transport, ready, ready.search, client);
    }
    return outside(packet, query, transport, block);
  };

  const failed = (packet: Buffer, query: Query, error: unknown): Buffer => {
    log.error({ err: error, question: packet.toString("hex", 12, query.end) }, "a query could not be answered");
    return plainReply(packet, query, RCODE.SERVFAIL, false);
  };

  return {
    drop: (changed) => cache.drop(changed),
    respond(packet, transport, client) {
      const query = parseQuery(packet);
      if (query === undefined) return undefined;
      try {
        if (isRefused(query)) return plainReply(packet, query, query.rcode, false);
        const ready = cache.get(packet, query);
        if (ready === undefined) return answer(packet, query, transport, client, 0);
        return ready.search === undefined
          ? finish(packet, query, transport, ready)
          : searched(packet, query, transport, ready, ready.search, client);
      } catch (error) {
        return failed(packet, query, error);
      }
    },
  };
}

const isAddress = (type: number): boolean => type === TYPE.A || type === TYPE.AAAA;
const recurses = (block: Block): boolean => block.outside !== undefined;

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
