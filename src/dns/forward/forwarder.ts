import type { Clock } from "../../observe/clock.ts";
import { isPublishable } from "../names/name.ts";
import { RCODE, TYPE, type DnsRecord } from "../names/record.ts";
import type { SocketAddress } from "../server/address.ts";
import { exchangeTcp, exchangeUdp, type Exchange } from "./exchange.ts";

/** Asks the resolvers outside the cluster. Both reject when no upstream gave a usable answer. */
export interface Forwarder {
  /** The response to a client's query (question section ending at `end`), with the client's id. */
  forward(query: Buffer, end: number, transport: "udp" | "tcp"): Promise<Buffer>;
  /** The CNAME and address records of a name; none when it has none (DNS-052). */
  addresses(name: string, type: number): Promise<DnsRecord[]>;
}

export interface ForwarderOptions {
  /** Asked in this order; not empty. */
  readonly upstreams: readonly SocketAddress[];
  readonly clock: Clock;
  readonly random: () => number;
  /** Milliseconds for one try; all tries together stay below the 5 seconds a stub resolver waits. */
  readonly timeout?: number;
  /** Queries waiting for upstreams at one time: each holds a socket. Further ones fail at once. */
  readonly waiting?: number;
}

const ROUNDS = 2;
const PATIENCE = 4500;
const TRUNCATED = 0x02;
const WAITING = 500;

const isFailure = (response: Buffer): boolean => {
  const rcode = response[3]! & 0x0f;
  return rcode === RCODE.SERVFAIL || rcode === RCODE.REFUSED || rcode === RCODE.NOTIMP;
};

export function createForwarder(options: ForwarderOptions): Forwarder {
  const { upstreams, clock, random } = options;
  const timeout = options.timeout ?? Math.max(250, Math.floor(PATIENCE / (ROUNDS * upstreams.length)));

  /** A copy of the query under a new id: a guesser must not know it (RFC 5452 §4.3). */
  const disguised = (query: Buffer): Buffer => {
    const copy = Buffer.from(query);
    copy.writeUInt16BE(Math.floor(random() * 65_536), 0);
    return copy;
  };

  const most = options.waiting ?? WAITING;
  let waiting = 0;

  const tryAll = async (query: Buffer, end: number, transport: "udp" | "tcp"): Promise<Buffer> => {
    let last: unknown;
    let refusal: Buffer | undefined;
    const deadline = clock.now() + PATIENCE;
    const exchangeBy = async (exchange: Exchange, to: SocketAddress): Promise<Buffer> =>
      exchange(disguised(query), end, to, Math.min(timeout, Math.max(1, deadline - clock.now())), clock);
    for (let round = 0; round < ROUNDS && refusal === undefined; round += 1) {
      for (const to of upstreams) {
        if (clock.now() >= deadline) break;
        try {
          let response = await exchangeBy(exchangeUdp, to);
          const isCut = (response[2]! & TRUNCATED) !== 0;
          if (isCut && transport === "tcp") response = await exchangeBy(exchangeTcp, to);
          if (!isFailure(response)) return response;
          refusal = response;
        } catch (error) {
          last = error;
        }
      }
    }
    // A failure that an upstream tells is better than ours: it may carry the reason.
    if (refusal !== undefined) return refusal;
    throw new Error(`asking ${upstreams.length} upstream resolvers: none answered`, { cause: last });
  };

  const ask = async (query: Buffer, end: number, transport: "udp" | "tcp"): Promise<Buffer> => {
    if (waiting >= most) throw new Error(`asking upstream resolvers: ${waiting} queries wait for them already`);
    waiting += 1;
    try {
      return await tryAll(query, end, transport);
    } finally {
      waiting -= 1;
    }
  };

  return {
    async forward(query, end, transport) {
      const response = Buffer.from(await ask(query, end, transport));
      query.copy(response, 0, 0, 2);
      return response;
    },
    async addresses(name, type) {
      // Only needed here, and not before the first ExternalName is asked for.
      const { default: packets } = await import("dns-packet");
      const kind = type === TYPE.AAAA ? "AAAA" : "A";
      const query = packets.encode({
        type: "query",
        flags: packets.RECURSION_DESIRED,
        questions: [{ name, type: kind }],
      });
      const response = await ask(query, query.length, "tcp");
      const rcode = response[3]! & 0x0f;
      if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
        throw new Error(`resolving ${name}: the upstream resolver answered code ${rcode}`);
      }
      return (packets.decode(response).answers ?? []).flatMap((record): DnsRecord[] => {
        const owner = record.name.toLowerCase();
        if (!isPublishable(owner) || (record.type !== kind && record.type !== "CNAME")) return [];
        const ttl = record.ttl ?? 0;
        if (record.type === "CNAME") {
          const target = record.data.toLowerCase();
          return isPublishable(target) ? [{ name: owner, ttl, type: "CNAME", target }] : [];
        }
        return record.type === kind ? [{ name: owner, ttl, type: kind, address: record.data }] : [];
      });
    },
  };
}
