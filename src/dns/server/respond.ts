import type { Log } from "../../observe/log.ts";
import type { Cell } from "../../observe/metrics.ts";
import type { Clients } from "../clients/clients.ts";
import type { ZoneFigures } from "../figures/answers.ts";
import type { Transport } from "../forward/outside.ts";
import { NOT_AUTHORITATIVE } from "../names/explanations.ts";
import { RCODE, TYPE, type Lookup, type Search } from "../names/record.ts";
import { labelsOf, LOWER, parseQuery, type Query } from "../wire/query.ts";
import { isRefused, OPT_LENGTH, plainReply, writeOpt } from "../wire/reply.ts";
import type { Response } from "../wire/response.ts";
import { encode, type Encoded, type WireAnswer } from "../wire/writer.ts";
import { encodeQuestion, heard } from "./ask.ts";
import { blockFor, type Block } from "./block.ts";
import { createByteCache, type Ready } from "./bytes.ts";
import type { LogRule, QueryLog } from "./query-log/query-log.ts";
import { aliased, isSearchable, searchOn } from "./search.ts";

/** Who asks, and where. */
export interface Peer {
  /** `""` is this server itself. */
  readonly address: string;
  readonly port: number;
}

/** Turns one query into one response; undefined is silence. Never throws, and its promise never rejects. */
export interface Responder {
  /** `local` is the address that is asked, where that is known. */
  respond(packet: Buffer, transport: Transport, peer: Peer, local?: string): Buffer | undefined | Promise<Buffer>;
  /** Forgets the bytes of every answer that depends on one of these words. */
  drop(changed: Iterable<string>): void;
  /** Answers that are kept as bytes, and how often they were there. */
  readonly kept: { readonly size: number; readonly hits: number; readonly misses: number };
}

export interface ResponderOptions {
  /** All that are asked at this responder's port. */
  readonly blocks: readonly Block[];
  /** Absent: nobody's search list is shortened. */
  readonly clients?: Clients | undefined;
  /** The serial number of every zone now (DNS-059). */
  serial(): number;
  readonly log: Log;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Milliseconds from some fixed moment, in fractions; absent: answers are not timed. */
  readonly ticks?: () => number;
  readonly queryLog?: QueryLog | undefined;
  /** Failures are logged through it: too many in a second are left out. */
  readonly within?: ((write: () => void) => void) | undefined;
  /** Where queries are counted that no block is asked for. */
  readonly dropped?: ZoneFigures | undefined;
  /** Failures of our own making, and search lists answered in one reply. */
  readonly panics?: Cell | undefined;
  readonly searches?: Cell | undefined;
}

/** Without EDNS an answer over UDP has at most this many bytes (RFC 1035 §4.2.1). */
const PLAIN_UDP = 512;
/** More than this we never send in one datagram, whatever the asker says. */
const LARGEST_UDP = 4096;
const CACHED_ANSWERS = 32_768;

/** How often an answer may lead to a further question that is asked here again (DNS-053). */
const MOST_HOPS = 8;
/** Questions that this server asks itself. */
const OURSELVES: Peer = { address: "", port: 0 };
const NO_RULES: readonly LogRule[] = [];

/** One query on its way, and what becomes known of it. */
interface Asked {
  readonly packet: Buffer;
  readonly query: Query;
  readonly transport: Transport;
  readonly peer: Peer;
  /** How many questions led to this one. */
  readonly hops: number;
  block: Block | undefined;
  /** Who answers, by CoreDNS's name. */
  plugin: string;
}

const REFUSED_OUTSIDE = { code: NOT_AUTHORITATIVE, text: "not a name of the cluster, and no upstream resolver is set" };

const NOWHERE = {
  code: NOT_AUTHORITATIVE,
  text: "one label is no name of the cluster, and no upstream resolver is set",
};

/** True for a name of one label. */
const isOneLabel = (packet: Buffer, query: Query): boolean => packet[12] !== 0 && 12 + packet[12]! + 6 === query.end;

function limitOf(query: Query, transport: Transport): number {
  if (transport === "tcp") return 65_535;
  return query.udpSize === undefined ? PLAIN_UDP : Math.min(query.udpSize, LARGEST_UDP);
}

export function createResponder(options: ResponderOptions): Responder {
  const { blocks, log, random, queryLog, dropped, clients } = options;
  const cache = createByteCache(CACHED_ANSWERS);
  const ticks = options.ticks ?? (() => 0);
  const within = options.within ?? ((write) => write());
  const isCounted = dropped !== undefined || blocks.some(({ figures }) => figures !== undefined);
  let hits = 0;
  let misses = 0;

  const prepare = (
    { packet, query, plugin }: Asked,
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

  /** The bytes for this asker: its id, its spelling of the question, its EDNS; addresses in a new order (DNS-021). */
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

  /** The answer to a query that has none, and the reason in the log. */
  const failed = ({ packet, query, block }: Asked, error: unknown): Buffer => {
    if (block?.errors !== false) {
      const question = { name: printed(labelsOf(packet)), type: query.type };
      within(() => log.error({ err: error, ...question }, "a query could not be answered"));
    }
    return plainReply(packet, query, RCODE.SERVFAIL, block !== undefined && recurses(block));
  };

  const outside = (asked: Asked, block: Block): Buffer | Promise<Buffer> => {
    const { packet, query, transport } = asked;
    if (block.outside === undefined) {
      // The last that a resolver asks of a search list. A refusal would have it wait, and think that there is trouble.
      return isOneLabel(packet, query)
        ? plainReply(packet, query, RCODE.NXDOMAIN, false, NOWHERE)
        : plainReply(packet, query, RCODE.REFUSED, false, REFUSED_OUTSIDE);
    }
    asked.plugin = "forward";
    const limit = limitOf(query, transport);
    const resolved = block.outside.resolve(packet, query, transport);
    if (Buffer.isBuffer(resolved)) return fitted(resolved, query, limit);
    return resolved.then(
      (reply) => fitted(reply, query, limit),
      (error: unknown) => failed(asked, error),
    );
  };

  /** What this server itself answers to a further question; rejects when that is a failure. */
  const askOurselves = async (labels: readonly string[], type: number, hops: number): Promise<Response> => {
    if (hops > MOST_HOPS) {
      throw new Error(`resolving ${labels.join(".")}: names lead to names more than ${MOST_HOPS} times`);
    }
    const packet = encodeQuestion(labels, type);
    const query = parseQuery(packet)!;
    return heard(
      await answer({ packet, query, transport: "tcp", peer: OURSELVES, hops, block: undefined, plugin: "" }),
      labels,
    );
  };

  /** An ExternalName whose target is outside the zone: its addresses come from upstream (DNS-050, DNS-052). */
  const chased = async (
    asked: Asked,
    labels: readonly string[],
    block: Block,
    found: Lookup & Required<Pick<Lookup, "chase">>,
  ): Promise<Buffer> => {
    const { packet, query, transport } = asked;
    const { name } = found.chase;
    const whole = await askOurselves(name.split("."), query.type, asked.hops + 1).then(
      ({ answers }) => ({ ...found.answer, answers: [...found.answer.answers, ...answers] }),
      (error: unknown) => {
        log.debug({ err: error, name }, "the target of an ExternalName could not be resolved");
        return found.answer;
      },
    );
    return finish(packet, query, transport, prepare(asked, labels, block, whole));
  };

  /** The domains of the asker's search list behind the cluster's, if it is a pod whose list this name was made with. */
  const domainsOf = ({ packet, query, peer }: Asked, search: Search): readonly string[] | undefined => {
    // What the asker wants nobody else to be asked for is not looked for outside.
    const wantsRecursion = (packet[2]! & 0x01) !== 0;
    if (clients === undefined || peer === OURSELVES || !wantsRecursion || !isSearchable(search, query.type)) return;
    const pod = clients.of(peer.address);
    if (pod?.namespace !== search.namespace) return;
    return blockFor(blocks, search.rest)?.outside === undefined ? undefined : pod.searches;
  };

  /**
   * A name made with the first domain of a pod's search list, which no name of the cluster is meant by: the pod is told at once
   * what its resolver would find at the end of the list. Everybody else hears that there is no such name.
   */
  const searched = (asked: Asked, ready: Ready, search: Search): Buffer | Promise<Buffer> => {
    const { packet, query, transport } = asked;
    const domains = domainsOf(asked, search);
    if (domains === undefined) return finish(packet, query, transport, ready);
    const { block, from } = ready;
    const { labels, answer: denial } = from!;
    return searchOn(search.rest, domains, query.type, (rest, type) => askOurselves(rest, type, asked.hops + 1))
      .then((found) => {
        const alias = aliased(labels.join("."), denial, found, query.type);
        if (options.searches !== undefined) options.searches.value++;
        return finish(packet, query, transport, prepare(asked, labels, block, alias));
      })
      .catch((error: unknown) =>
        // What cannot be handed on faithfully is left to the resolver, which asks for it in the usual way.
        error instanceof RangeError ? finish(packet, query, transport, ready) : failed(asked, error),
      );
  };

  const answer = (asked: Asked): Buffer | Promise<Buffer> => {
    const { packet, query, transport } = asked;
    const labels = labelsOf(packet, query.isLower);
    const block = blockFor(blocks, labels);
    if (block === undefined) return plainReply(packet, query, RCODE.REFUSED, false, REFUSED_OUTSIDE);
    asked.block = block;
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) {
      return plainReply(packet, query, RCODE.REFUSED, recurses(block));
    }
    for (const source of block.sources) {
      const found = source.lookup(labels, query.type);
      if (found === undefined) continue;
      if (found.later !== undefined) return found.later.then(() => answer(asked));
      asked.plugin = source.plugin ?? "";
      if (found.explanation !== undefined) {
        return plainReply(packet, query, found.answer.rcode, recurses(block), found.explanation);
      }
      const { chase } = found;
      if (chase !== undefined && block.outside !== undefined) {
        return chased(asked, labels, block, { ...found, chase }).catch((error: unknown) => failed(asked, error));
      }
      const ready = prepare(asked, labels, block, found.answer, found.search);
      cache.set(query, ready, found.depends);
      return ready.search === undefined
        ? finish(packet, query, transport, ready)
        : searched(asked, ready, ready.search);
    }
    return outside(asked, block);
  };

  /** Counts an answer, and logs the query where somebody wants that. */
  const tell = (asked: Asked, local: string, reply: Buffer, milliseconds: number): void => {
    const { packet, query, transport, peer, block, plugin } = asked;
    const rcode = query.rcode > 15 ? query.rcode : reply[3]! & 0x0f;
    const figures = block === undefined ? dropped : block.figures;
    if (figures !== undefined) {
      const isIPv6 = peer.address.includes(":");
      figures.count(query, transport === "tcp", isIPv6, plugin, rcode, packet.length, reply.length, milliseconds);
    }
    if (queryLog?.isOn !== true || query.end === 12) return;
    const rules = block?.log ?? NO_RULES;
    if (!queryLog.mayLog(peer.address, rules)) return;
    const labels = labelsOf(packet);
    const told = {
      packet,
      reply,
      name: printed(labels),
      type: packet.readUInt16BE(query.end - 4),
      class: packet.readUInt16BE(query.end - 2),
      transport,
      address: peer.address,
      port: peer.port,
      local,
      udpSize: query.udpSize,
      dnssecOk: query.dnssecOk,
      rcode,
      milliseconds,
    };
    queryLog.tell(told, labels, rules);
  };

  /** Anything thrown here is a fault of ours: the asker hears of a failure, and the next one is answered. */
  const broken = (asked: Asked, error: unknown): Buffer => {
    if (options.panics !== undefined) options.panics.value++;
    return failed(asked, error);
  };

  return {
    drop: (changed) => cache.drop(changed),
    get kept() {
      return { size: cache.size, hits, misses };
    },
    respond(packet, transport, peer, local = "") {
      const query = parseQuery(packet);
      if (query === undefined) return undefined;
      const isTold = isCounted || queryLog?.isOn === true;
      const start = isTold ? ticks() : 0;
      const asked: Asked = { packet, query, transport, peer, hops: 0, block: undefined, plugin: "" };
      const sent = (reply: Buffer): Buffer => {
        if (isTold) tell(asked, local, reply, ticks() - start);
        return reply;
      };
      try {
        if (isRefused(query)) return sent(plainReply(packet, query, query.rcode, false));
        const ready = cache.get(packet, query);
        if (ready === undefined) {
          misses += 1;
          const reply = answer(asked);
          return Buffer.isBuffer(reply) ? sent(reply) : reply.then(sent);
        }
        hits += 1;
        asked.block = ready.block;
        asked.plugin = ready.plugin;
        if (ready.search === undefined) return sent(finish(packet, query, transport, ready));
        const reply = searched(asked, ready, ready.search);
        return Buffer.isBuffer(reply) ? sent(reply) : reply.then(sent);
      } catch (error) {
        return sent(broken(asked, error));
      }
    },
  };
}

/** A name as text: what is no printable character of ASCII, and dots inside labels, as `\DDD` (RFC 1035 §5.1). */
const printed = (labels: readonly string[]): string =>
  `${labels.map((label) => label.replaceAll(/[^!-~]|[.\\"]/g, (char) => `\\${`${char.charCodeAt(0)}`.padStart(3, "0")}`)).join(".")}.`;

const recurses = (block: Block): boolean => block.outside !== undefined;

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
function fitted(reply: Buffer, query: Query, limit: number): Buffer {
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
