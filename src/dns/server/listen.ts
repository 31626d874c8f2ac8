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
      const tcp = await listenTcp(responder, at, clock, log, {}, opening);
      open.push(tcp);
      const and = { address: at.address, port: tcp.port };
      open.push(await listenUdp(responder, and, log, opening));
      listening.push({ address: at.address, port: tcp.port });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listening, close };
}
