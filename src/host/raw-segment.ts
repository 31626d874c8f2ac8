import { familyOf, toNumber } from "../net/ip.ts";
import { checked, libc, O_CLOEXEC, O_NONBLOCK } from "./libc.ts";
import { AF_INET, AF_INET6, socketIn } from "./namespace-socket.ts";

const SOCK_RAW = 3;
/** With it the header of the packet is ours too (raw(7)). */
const IPPROTO_RAW = 255;
const IPPROTO_TCP = 6;
const ACK = 0x10;

/** Who a segment says that it is from, and whom it goes to. */
export interface SegmentEnds {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

const bytesOf = (ip: string): Buffer =>
  Buffer.from(
    toNumber(ip)
      .toString(16)
      .padStart(familyOf(ip) === "IPv4" ? 8 : 32, "0"),
    "hex",
  );

/** The ones' complement sum of RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An acknowledgement without data, as a whole packet. */
function acknowledgement(ends: SegmentEnds, sequence: number, acknowledged: number): Buffer {
  const [source, destination] = [bytesOf(ends.source), bytesOf(ends.destination)];
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(ends.sourcePort, 0);
  tcp.writeUInt16BE(ends.destinationPort, 2);
  tcp.writeUInt32BE(sequence >>> 0, 4);
  tcp.writeUInt32BE(acknowledged >>> 0, 8);
  tcp.writeUInt8(5 << 4, 12);
  tcp.writeUInt8(ACK, 13);
  tcp.writeUInt16BE(512, 14);
  const pseudo = Buffer.concat([source, destination, Buffer.of(0, IPPROTO_TCP, 0, tcp.length), tcp]);
  tcp.writeUInt16BE(checksum(pseudo), 16);
  const isIPv4 = source.length === 4;
  const header = Buffer.alloc(isIPv4 ? 12 : 8);
  if (isIPv4) {
    header.writeUInt8(0x45, 0);
    header.writeUInt16BE(20 + tcp.length, 2);
    header.writeUInt8(64, 8);
    header.writeUInt8(IPPROTO_TCP, 9);
  } else {
    header.writeUInt8(0x60, 0);
    header.writeUInt16BE(tcp.length, 4);
    header.writeUInt8(IPPROTO_TCP, 6);
    header.writeUInt8(64, 7);
  }
  return Buffer.concat([header, source, destination, tcp]);
}

/**
 * Sends acknowledgements of what was never sent, from any address, in a network namespace; undefined is our own. Who has the connection
 * answers with one that tells where it stands (RFC 9293, section 3.10.7.4), who has none with a reset. Throws {@link LibcError}.
 */
export function sendAcknowledgements(
  namespace: string | undefined,
  all: readonly SegmentEnds[],
  random: () => number,
): void {
  const number = (): number => Math.floor(random() * 2 ** 32);
  for (const [family, domain] of [
    ["IPv4", AF_INET],
    ["IPv6", AF_INET6],
  ] as const) {
    const mine = all.filter((ends) => familyOf(ends.source) === family);
    if (mine.length === 0) continue;
    const fd =
      namespace === undefined
        ? checked(libc().socket(domain, SOCK_RAW | O_CLOEXEC | O_NONBLOCK, IPPROTO_RAW), "opening a raw socket")
        : socketIn(namespace, domain, SOCK_RAW, IPPROTO_RAW);
    try {
      for (const ends of mine) {
        const packet = acknowledgement(ends, number(), number());
        const to = Buffer.alloc(family === "IPv4" ? 16 : 28);
        to.writeUInt16LE(domain, 0);
        bytesOf(ends.destination).copy(to, family === "IPv4" ? 4 : 8);
        // One that cannot be sent is as one that is lost: who asks asks again.
        libc().sendto(fd, packet, BigInt(packet.length), 0, to, to.length);
      }
    } finally {
      libc().close(fd);
    }
  }
}
