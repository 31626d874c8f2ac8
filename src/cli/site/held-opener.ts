import type { SocketOpener } from "../../dns/server/address.ts";
import { duplicate } from "../../host/duplicate.ts";
import type { OpenSocket } from "../../host/held-sockets.ts";
import type { Part } from "../../observe/part.ts";

/** Gives out descriptors of its own for sockets that the process has open: a thread closes all of its when it ends, however it ends. */
export const fromHeld =
  (sockets: readonly OpenSocket[]): SocketOpener =>
  (protocol, { address, port }) => {
    const held = sockets.find((one) => one.protocol === protocol && one.ip === address && one.port === port);
    return held === undefined ? undefined : duplicate(held.fd);
  };

/** A thread that ends goes on reading until the last of it is gone: what it takes then nobody answers. So it stops at once, even when it dies by an error. */
export const stopAtExit = (dns: Part): void => void process.once("exit", () => void dns.stop());
