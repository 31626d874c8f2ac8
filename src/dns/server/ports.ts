import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { SocketAddress } from "./address.ts";
import { listen, type Sockets } from "./listen.ts";
import type { Responder } from "./respond.ts";

/** Who answers at these addresses. */
export interface Served {
  readonly addresses: readonly SocketAddress[];
  readonly responder: Responder;
}

/** The sockets of a server whose configuration may change while it runs. */
export interface Ports {
  /** Where it listens, with the ports it was given. */
  readonly listening: readonly SocketAddress[];
  /**
   * From now on these answer. A socket whose address and port stay is kept, with its connections, and no query is lost; others are
   * closed once the new ones are open. Rejects when an address cannot be taken, and all is as it was before.
   */
  serve(wanted: readonly Served[]): Promise<void>;
  close(): Promise<void>;
}

interface Open {
  readonly sockets: Sockets;
  /** Who answers now: the sockets ask that each time. */
  readonly who: { responder: Responder };
}

const keyOf = ({ address, port }: SocketAddress): string => `${address} ${port}`;

export function createPorts(clock: Clock, log: Log, reusePort = false): Ports {
  const open = new Map<string, Open>();

  const openAll = async (wanted: ReadonlyMap<string, readonly [SocketAddress, Responder]>): Promise<void> => {
    const fresh: string[] = [];
    try {
      for (const [key, [address, responder]] of wanted) {
        if (open.has(key)) continue;
        const who = { responder };
        const current: Responder = {
          respond: (...query) => who.responder.respond(...query),
          drop: (words) => who.responder.drop(words),
        };
        open.set(key, { sockets: await listen(current, [address], clock, log, reusePort), who });
        fresh.push(key);
      }
    } catch (error) {
      await closeAll(fresh);
      throw error;
    }
  };

  const closeAll = async (keys: readonly string[]): Promise<void> => {
    await Promise.all(
      keys.map(async (key) => {
        const entry = open.get(key);
        open.delete(key);
        await entry?.sockets.close();
      }),
    );
  };

  return {
    get listening() {
      return [...open.values()].flatMap(({ sockets }) => sockets.listening);
    },
    async serve(served) {
      const wanted = new Map(
        served.flatMap(({ addresses, responder }) => addresses.map((at) => [keyOf(at), [at, responder]] as const)),
      );
      const stale = new Map([...open].filter(([key]) => !wanted.has(key)));
      try {
        await openAll(wanted);
      } catch (error) {
        // One that goes may be in the way: all addresses and one of them exclude each other.
        const taken = new Set([...wanted.values()].map(([{ port }]) => port));
        const inTheWay = [...stale].filter(([, { sockets }]) => taken.has(sockets.listening[0]!.port));
        if (inTheWay.length === 0) throw error;
        await closeAll(inTheWay.map(([key]) => key));
        try {
          await openAll(wanted);
        } catch (second) {
          await openAll(
            new Map(inTheWay.map(([key, { sockets, who }]) => [key, [sockets.listening[0]!, who.responder]])),
          );
          throw second;
        }
      }
      for (const [key, [, responder]] of wanted) open.get(key)!.who.responder = responder;
      await closeAll([...stale.keys()]);
    },
    close: () => closeAll([...open.keys()]),
  };
}
