import type { Log } from "../../observe/log.ts";
import type { Cell } from "../../observe/metrics.ts";
import type { Clients } from "../clients/clients.ts";
import type { Transport } from "../forward/outside.ts";
import { NOT_AUTHORITATIVE } from "../names/explanations.ts";
import { RCODE, TYPE, type Lookup, type Search } from "../names/record.ts";
import { labelsOf, parseQuery, type Query } from "../wire/query.ts";
import { isRefused, plainReply } from "../wire/reply.ts";
import type { Response } from "../wire/response.ts";
import { encodeQuestion, heard } from "./ask.ts";
import type { Asked, Peer } from "./asked.ts";
import { blockFor, recurses, type Block } from "./block.ts";
import { createByteCache, type Ready } from "./bytes.ts";
import { createFinisher, fitted } from "./finish.ts";
import { aliased, isSearchable, searchOn } from "./search.ts";
import { printed, tell, type Telling } from "./tell.ts";

/** Turns one query into one response; undefined is silence. Never throws, and its promise never rejects. */
export interface Responder {
  /** `local` is the address that is asked, where that is known. */
  respond(packet: Buffer, transport: Transport, peer: Peer, local?: string): Buffer | undefined | Promise<Buffer>;
  /** Forgets the bytes of every answer that depends on one of these words. */
  drop(changed: Iterable<string>): void;
  /** Answers that are kept as bytes, and how often they were there. */
  readonly kept: { readonly size: number; readonly hits: number; readonly misses: number };
}

export interface ResponderOptions extends Telling {
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
  /** Failures are logged through it: too many in a second are left out. */
  readonly within?: ((write: () => void) => void) | undefined;
  /** Failures of our own making, and search lists answered in one reply. */
  readonly panics?: Cell | undefined;
  readonly searches?: Cell | undefined;
}

const CACHED_ANSWERS = 32_768;

/** How often an answer may lead to a further question that is asked here again (DNS-053). */
const MOST_HOPS = 8;
/** Questions that this server asks itself. */
const OURSELVES: Peer = { address: "", port: 0 };

const REFUSED_OUTSIDE = { code: NOT_AUTHORITATIVE, text: "not a name of the cluster, and no upstream resolver is set" };

const NOWHERE = {
  code: NOT_AUTHORITATIVE,
  text: "one label is no name of the cluster, and no upstream resolver is set",
};

/** True for a name of one label. */
const isOneLabel = (packet: Buffer, query: Query): boolean => packet[12] !== 0 && 12 + packet[12]! + 6 === query.end;

export function createResponder(options: ResponderOptions): Responder {
  const { blocks, log, random, queryLog, dropped, clients } = options;
  const { prepare, finish } = createFinisher({ random, serial: () => options.serial() });
  const cache = createByteCache(CACHED_ANSWERS);
  const ticks = options.ticks ?? (() => 0);
  const within = options.within ?? ((write) => write());
  const isCounted = dropped !== undefined || blocks.some(({ figures }) => figures !== undefined);
  let hits = 0;
  let misses = 0;

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
    const resolved = block.outside.resolve(packet, query, transport);
    if (Buffer.isBuffer(resolved)) return fitted(resolved, query, transport);
    return resolved.then(
      (reply) => fitted(reply, query, transport),
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
        if (isTold) tell(options, asked, local, reply, ticks() - start);
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
