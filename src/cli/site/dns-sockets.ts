import type { Host } from "../../host/host.ts";
import {
  endHolder,
  holdsThese,
  holdSockets,
  SocketNotHad,
  takeHeld,
  type HeldAddress,
  type OpenSocket,
} from "../../host/held-sockets.ts";
import { LibcError } from "../../host/libc.ts";
import { takenBy } from "../../host/port-holder.ts";
import type { Log } from "../../observe/log.ts";
import { Failure } from "../failure.ts";
import { NOTHING_MADE, readMade, writeMade } from "./made.ts";

const EADDRINUSE = 98;

/**
 * The sockets of cluster DNS. A process that does nothing else holds them open, so that they outlive a thread of ours, and us: what is asked
 * meanwhile waits in them, and nobody hears that the port is closed. Those of an earlier Fairlead are taken over with what waits in
 * them. Undefined where this Node or kernel cannot: then DNS makes its own. Throws Failure when an address is taken.
 */
export async function dnsSockets(
  host: Host,
  gateways: readonly string[],
  madePath: string,
  log: Log,
): Promise<readonly OpenSocket[] | undefined> {
  const addresses = gateways.flatMap((ip): HeldAddress[] =>
    (["UDP", "TCP"] as const).map((protocol) => ({ protocol, ip, port: 53 })),
  );
  const { holder } = (await readMade(madePath)) ?? NOTHING_MADE;
  if (holder !== undefined && (await holdsThese(holder, addresses))) {
    try {
      return takeHeld(holder);
    } catch (error) {
      if (!(error instanceof LibcError)) throw error;
      log.warn(
        { error: error.message },
        "the sockets of cluster DNS cannot be taken over; what was asked meanwhile is lost",
      );
    }
  }
  // Before its successors, which want the same addresses.
  if (holder !== undefined) await endHolder(holder);
  try {
    return await holdSockets(host, addresses, async (made) => {
      await writeMade(madePath, { ...((await readMade(madePath)) ?? NOTHING_MADE), holder: made });
    });
  } catch (error) {
    if (error instanceof SocketNotHad && error.errno === EADDRINUSE) {
      const { protocol, ip, port } = error.address;
      const taken = await takenBy(protocol, ip, port);
      throw new Failure(
        `listening for DNS on ${protocol} ${ip} port ${port}: ${taken}; end it, have it listen on addresses of its own only, or take a network of its own with --private`,
        { cause: error },
      );
    }
    if (!(error instanceof LibcError) && !(error instanceof SocketNotHad)) throw error;
    log.warn(
      { error: error.message },
      "the sockets of cluster DNS cannot be held for it; a restart of it refuses what is asked meanwhile",
    );
    return undefined;
  }
}
