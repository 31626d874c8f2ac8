import { endianness } from "node:os";
import { familyOf, toNumber, type IPFamily } from "../net/ip.ts";
import { checked, libc, O_CLOEXEC, O_NONBLOCK } from "./libc.ts";
import { filterBytes, sourceFilter, type FilterStep } from "./socket-filter.ts";

// Linux, the same on x86-64 and arm64: socket.h, in.h, in6.h.
const AF = { IPv4: 2, IPv6: 10 } as const satisfies Record<IPFamily, number>;
const KIND = { TCP: 1, UDP: 2 } as const;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ATTACH_FILTER = 26;
const SOL_IP = 0;
const IP_FREEBIND = 15;
const SOL_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_FREEBIND = 78;

export interface ListeningSocket {
  readonly protocol: "TCP" | "UDP";
  readonly ip: string;
  readonly port: number;
  /** The address may be local by a route alone, or not be there yet. Needs no right. */
  readonly anyAddress: boolean;
  /** What is let in; undefined is everything. Connections that come of it keep it. */
  readonly filter?: readonly FilterStep[] | undefined;
}

/** `struct sockaddr_in` or `struct sockaddr_in6`. */
function socketAddress(family: IPFamily, ip: string, port: number): Buffer {
  const bytes = Buffer.alloc(family === "IPv4" ? 16 : 28);
  if (endianness() === "LE") bytes.writeUInt16LE(AF[family], 0);
  else bytes.writeUInt16BE(AF[family], 0);
  bytes.writeUInt16BE(port, 2);
  const number = toNumber(ip);
  if (family === "IPv4") bytes.writeUInt32BE(Number(number), 4);
  else {
    bytes.writeBigUInt64BE(number >> 64n, 8);
    bytes.writeBigUInt64BE(number & 0xffffffffffffffffn, 16);
  }
  return bytes;
}

const ONE = Buffer.from(new Int32Array([1]).buffer);

/**
 * A socket that is bound, and not listening yet, as a descriptor for Node's `listen({ fd })` or `bind({ fd })`, which from then on owns it.
 * Node itself can neither bind an address that only a route makes local, nor give a socket a filter. Throws {@link LibcError}, whose
 * `errno` is that of bind(2): EADDRINUSE 98, EADDRNOTAVAIL 99, EACCES 13.
 */
export function boundSocket({ protocol, ip, port, anyAddress, filter }: ListeningSocket): number {
  const family = familyOf(ip);
  if (family === undefined) throw new RangeError(`making a socket: ${JSON.stringify(ip)} is not an address`);
  const { socket, setsockopt, bind, close } = libc();
  const where = `${protocol} ${ip} port ${port}`;
  const fd = checked(socket(AF[family], KIND[protocol] | O_CLOEXEC | O_NONBLOCK, 0), `making a socket for ${where}`);
  const set = (level: number, name: number, value: Buffer): void =>
    void checked(setsockopt(fd, level, name, value, value.length), `setting option ${name} of the socket for ${where}`);
  try {
    // A connection that is still ending on this port must not keep us off it. Datagrams know no such thing: two would share the port.
    if (protocol === "TCP") set(SOL_SOCKET, SO_REUSEADDR, ONE);
    if (family === "IPv6") set(SOL_IPV6, IPV6_V6ONLY, ONE);
    if (anyAddress)
      set(
        ...((family === "IPv4" ? [SOL_IP, IP_FREEBIND, ONE] : [SOL_IPV6, IPV6_FREEBIND, ONE]) as [
          number,
          number,
          Buffer,
        ]),
      );
    if (filter !== undefined) attach(fd, filter, where);
    const address = socketAddress(family, ip, port);
    checked(bind(fd, address, address.length), `binding ${where}`);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The port that a socket of this module has, also where it was bound to port 0. */
export function portOf(fd: number): number {
  const address = Buffer.alloc(28);
  const length = Buffer.from(new Uint32Array([address.length]).buffer);
  checked(libc().getsockname(fd, address, length), `asking for the port of socket ${fd}`);
  return address.readUInt16BE(2);
}

const SHUT_RD = 0;

/** Has a listening socket listen no more, whoever else has it open; who connects is refused from then on. */
export const stopListening = (fd: number): void =>
  void checked(libc().shutdown(fd, SHUT_RD), `ending the listening of socket ${fd}`);

/** `struct sock_fprog`: a length, and a pointer to the steps. */
function attach(fd: number, filter: readonly FilterStep[], where: string): void {
  const ffi = process.getBuiltinModule("node:ffi");
  const steps = filterBytes(filter);
  const program = Buffer.alloc(16);
  program.writeUInt16LE(filter.length, 0);
  program.writeBigUInt64LE(ffi.getRawPointer(steps), 8);
  checked(
    libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length),
    `filtering who reaches ${where}`,
  );
}

/** Gives a socket that is open another filter; undefined lets everything in. Connections that it gave before keep theirs. */
export function filterSocket(fd: number, filter: readonly FilterStep[] | undefined): void {
  attach(fd, filter ?? sourceFilter([])!, `the socket ${fd}`);
}
