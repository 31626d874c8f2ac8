import { LibcError, libc } from "../../host/libc.ts";
import { boundSocket } from "../../host/listening-socket.ts";
import { takenBy } from "../../host/port-holder.ts";
import type { Listener } from "../../ingress/engine.ts";
import { Failure } from "../failure.ts";

/** Linux `asm-generic/errno.h`. */
const EACCES = 13;
const EADDRINUSE = 98;
const EADDRNOTAVAIL = 99;

/** Throws a Failure that says why an address cannot be had, and whose it is: who starts the door is to hear it now, not when there is a plan. */
export async function assurePorts(listeners: readonly Listener[]): Promise<void> {
  for (const { address, port, tls } of listeners) {
    if (port === 0) continue;
    try {
      libc().close(boundSocket({ protocol: "TCP", ip: address, port, anyAddress: false }));
    } catch (cause) {
      if (!(cause instanceof LibcError)) throw cause;
      const where = `listening for Ingress on TCP ${address} port ${port}`;
      const other = `choose another with ${tls ? "--https-port" : "--http-port"}`;
      if (cause.errno === EADDRINUSE)
        throw new Failure(`${where}: ${await takenBy("TCP", address, port)}; end it, or ${other}`, { cause });
      if (cause.errno === EACCES)
        throw new Failure(`${where}: ports below 1024 need root or CAP_NET_BIND_SERVICE; ${other}`, { cause });
      if (cause.errno === EADDRNOTAVAIL) throw new Failure(`${where}: no interface has this address`, { cause });
    }
  }
}
