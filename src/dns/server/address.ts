import { takenBy } from "../../host/port-holder.ts";
import type { ServerBlock } from "../configuration/configuration.ts";

/** Where a server listens or is reached: an IP in text form, and a port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** All addresses of this machine, by family. */
export const ANY: readonly string[] = ["0.0.0.0", "::"];

/** Every address and port that a block listens at. */
export const addressesOf = ({ bind, port }: Pick<ServerBlock, "bind" | "port">): SocketAddress[] =>
  (bind ?? ANY).map((address) => ({ address, port }));

/** A descriptor of a socket that is bound to this address already, for the server to close; undefined: it makes one. */
export type SocketOpener = (protocol: "UDP" | "TCP", at: SocketAddress) => number | undefined;

/** How a server comes by its sockets. */
export interface Opening {
  /** Others may listen there too, and the kernel shares the queries out. */
  readonly reusePort?: boolean | undefined;
  /** Absent: sockets are made. */
  readonly openSocket?: SocketOpener | undefined;
}

/** A server that holds its port: where it really listens, and its end. */
export interface Listening extends SocketAddress {
  close(): Promise<void>;
}

/** The sentence for an address that could not be taken, with the remedy. */
export async function listenError(
  protocol: "UDP" | "TCP",
  at: SocketAddress,
  cause: NodeJS.ErrnoException,
): Promise<Error> {
  const where = `${protocol} ${at.address} port ${at.port}`;
  const remedy =
    cause.code === "EADDRINUSE"
      ? `${await takenBy(protocol, at.address, at.port)}; end it, or choose another address`
      : cause.code === "EADDRNOTAVAIL"
        ? "no interface has this address"
        : cause.code === "EACCES"
          ? "ports below 1024 need root or CAP_NET_BIND_SERVICE"
          : cause.message;
  return new Error(`listening for DNS on ${where}: ${remedy}`, { cause });
}
