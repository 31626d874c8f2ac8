import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Listening, Opening, SocketAddress } from "./address.ts";
import type { Responder } from "./respond.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

export interface Sockets {
  readonly listening: readonly SocketAddress[];
  close(): Promise<void>;
}

/** Answers on every address, over UDP and TCP both (DNS-132). All or nothing: when one cannot be taken, none stays open. */
export async function listen(
  responder: Responder,
  addresses: readonly SocketAddress[],
  clock: Clock,
  log: Log,
  opening: Opening = {},
): Promise<Sockets> {
  const open: Listening[] = [];
  const listening: SocketAddress[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.map((each) => each.close()));
  };
  try {
    for (const at of addresses) {
      const { pair, port } = await both(responder, at, clock, log, opening);
      open.push(...pair);
      listening.push({ address: at.address, port });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listening, close };
}

/** Ports that are tried where any will do: one that is free for TCP may be somebody's for UDP. */
const TRIES = 20;

/** One port over both transports. */
async function both(
  responder: Responder,
  at: SocketAddress,
  clock: Clock,
  log: Log,
  opening: Opening,
): Promise<{ readonly pair: readonly Listening[]; readonly port: number }> {
  for (let tries = 1; ; tries += 1) {
    const tcp = await listenTcp(responder, at, clock, log, {}, opening);
    const { port } = tcp;
    try {
      return { pair: [tcp, await listenUdp(responder, { address: at.address, port }, log, opening)], port };
    } catch (error) {
      await tcp.close();
      if (at.port !== 0 || tries === TRIES) throw error;
    }
  }
}
