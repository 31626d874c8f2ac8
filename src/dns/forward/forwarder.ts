import type { Clock } from "../../observe/clock.ts";
import { RCODE } from "../names/record.ts";
import type { SocketAddress } from "../server/address.ts";
import { exchangeTcp, exchangeUdp, type Exchange } from "./exchange.ts";
import type { Outside, Transport } from "./outside.ts";

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

/** Asks the resolvers outside the cluster. */
export function createForwarder(options: ForwarderOptions): Outside {
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

  const tryAll = async (query: Buffer, end: number, transport: Transport): Promise<Buffer> => {
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

  const ask = async (query: Buffer, end: number, transport: Transport): Promise<Buffer> => {
    if (waiting >= most) throw new Error(`asking upstream resolvers: ${waiting} queries wait for them already`);
    waiting += 1;
    try {
      return await tryAll(query, end, transport);
    } finally {
      waiting -= 1;
    }
  };

  return {
    async resolve(packet, { end }, transport) {
      const response = Buffer.from(await ask(packet, end, transport));
      packet.copy(response, 0, 0, 2);
      return response;
    },
    stop() {},
  };
}
