import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Listening, SocketAddress } from "./address.ts";
import type { Responder } from "./respond.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

export interface Sockets {
  readonly listening: readonly SocketAddress[];
  close(): Promise<void>;
}

/**
 * Answers on every address, over UDP and TCP both (DNS-132). All or nothing: when one cannot be taken, none stays open. With
 * `reusePort` others may listen there too, and the kernel shares the queries out.
 */
export async function listen(
  responder: Responder,
  addresses: readonly SocketAddress[],
  clock: Clock,
  log: Log,
  reusePort = false,
): Promise<Sockets> {
  const open: Listening[] = [];
  const listening: SocketAddress[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.map((each) => each.close()));
  };
  try {
    for (const at of addresses) {
      const tcp = await listenTcp(responder, at, clock, log, { reusePort });
      open.push(tcp);
      open.push(await listenUdp(responder, { address: at.address, port: tcp.port }, log, reusePort));
      listening.push({ address: at.address, port: tcp.port });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listening, close };
}
