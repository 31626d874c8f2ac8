import { familyOf, fromNumber, toNumber, type IPFamily } from "../../net/ip.ts";
import { attribute, eachAttribute, nested, u16, u8 } from "./attributes.ts";

/** Numbers of linux/netfilter/nfnetlink_conntrack.h. */
export const CTA = {
  TUPLE_ORIG: 1,
  TUPLE_REPLY: 2,
  STATUS: 3,
  PROTOINFO: 4,
  FILTER: 25,
  STATUS_MASK: 26,
} as const;
const CTA_TUPLE_IP = 1;
export const CTA_TUPLE_PROTO = 2;
export const CTA_PROTO_NUM = 1;
export const CTA_PROTOINFO_TCP = 1;
export const CTA_PROTOINFO_TCP_STATE = 1;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;

/** Bits of a flow's status (linux/netfilter/nf_conntrack_common.h). */
export const IPS_SEEN_REPLY = 1 << 1;
const IPS_DST_NAT = 1 << 5;

/** States of a TCP flow (linux/netfilter/nf_conntrack_tcp.h). */
export const TCP_STATE = { SYN_SENT: 1, SYN_RECV: 2, ESTABLISHED: 3, CLOSE: 8 } as const;

export type FlowProtocol = "TCP" | "UDP" | "SCTP";
export const PROTOCOL_NUMBERS: { readonly [name in FlowProtocol]: number } = { TCP: 6, UDP: 17, SCTP: 132 };
const PROTOCOL_NAMES = new Map<number, FlowProtocol>([
  [6, "TCP"],
  [17, "UDP"],
  [132, "SCTP"],
]);

/** One direction of a flow: who sends to whom. Addresses in canonical form. */
export interface Tuple {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** A flow that the kernel follows: as the client sends it, and as the answer comes. */
export interface Flow {
  readonly family: IPFamily;
  readonly protocol: FlowProtocol;
  readonly original: Tuple;
  readonly reply: Tuple;
  /** A packet came back. */
  readonly replied: boolean;
  /** Its destination was rewritten. */
  readonly redirected: boolean;
  /** {@link TCP_STATE}; undefined for other protocols and where the kernel does not say. */
  readonly tcpState: number | undefined;
}

/** Which flows are asked for; what is not given may be anything. */
export interface FlowQuery {
  /** Must be given beside an address. */
  readonly family?: IPFamily;
  readonly protocol: FlowProtocol;
  readonly original?: Partial<Tuple>;
  readonly reply?: Partial<Tuple>;
  /** Only those that saw a packet come back, or none. */
  readonly replied?: boolean;
}

const AF_INET6 = 10;
/** Length of struct nfgenmsg. */
export const NFGENMSG = 4;

const ipv4 = (bytes: Buffer, at: number): string =>
  `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`;
const ipv6 = (bytes: Buffer, at: number): string =>
  fromNumber((bytes.readBigUInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8), "IPv6");

function readTuple(bytes: Buffer, from: number, to: number): (Tuple & { protocol: number }) | undefined {
  const found = { source: "", sourcePort: 0, destination: "", destinationPort: 0, protocol: 0 };
  eachAttribute(bytes, from, to, (kind, start, end) => {
    eachAttribute(bytes, start, end, (type, at) => {
      if (kind === CTA_TUPLE_IP) {
        if (type === CTA_IP_V4_SRC) found.source = ipv4(bytes, at);
        else if (type === CTA_IP_V4_DST) found.destination = ipv4(bytes, at);
        else if (type === CTA_IP_V6_SRC) found.source = ipv6(bytes, at);
        else if (type === CTA_IP_V6_DST) found.destination = ipv6(bytes, at);
      } else if (kind === CTA_TUPLE_PROTO) {
        if (type === CTA_PROTO_NUM) found.protocol = bytes[at]!;
        else if (type === CTA_PROTO_SRC_PORT) found.sourcePort = bytes.readUInt16BE(at);
        else if (type === CTA_PROTO_DST_PORT) found.destinationPort = bytes.readUInt16BE(at);
      }
    });
  });
  return found.source === "" || found.destination === "" ? undefined : found;
}

/** A message of ctnetlink, from its struct nfgenmsg on; undefined for a flow of another protocol. */
export function readFlow(bytes: Buffer): Flow | undefined {
  let original: ReturnType<typeof readTuple>;
  let reply: ReturnType<typeof readTuple>;
  let status = 0;
  let tcpState: number | undefined;
  eachAttribute(bytes, NFGENMSG, bytes.length, (type, from, to) => {
    if (type === CTA.TUPLE_ORIG) original = readTuple(bytes, from, to);
    else if (type === CTA.TUPLE_REPLY) reply = readTuple(bytes, from, to);
    else if (type === CTA.STATUS) status = bytes.readUInt32BE(from);
    else if (type === CTA.PROTOINFO) {
      eachAttribute(bytes, from, to, (kind, start, end) => {
        if (kind !== CTA_PROTOINFO_TCP) return;
        eachAttribute(bytes, start, end, (inner, at) => {
          if (inner === CTA_PROTOINFO_TCP_STATE) tcpState = bytes[at]!;
        });
      });
    }
  });
  if (original === undefined || reply === undefined) return undefined;
  const protocol = PROTOCOL_NAMES.get(original.protocol);
  if (protocol === undefined) return undefined;
  return {
    family: bytes[0] === AF_INET6 ? "IPv6" : "IPv4",
    protocol,
    original,
    reply,
    replied: (status & IPS_SEEN_REPLY) !== 0,
    redirected: (status & IPS_DST_NAT) !== 0,
    tcpState,
  };
}

/** An address as the kernel has it. */
function addressBytes(ip: string): Buffer {
  const isIPv4 = familyOf(ip) === "IPv4";
  return Buffer.from(
    toNumber(ip)
      .toString(16)
      .padStart(isIPv4 ? 8 : 32, "0"),
    "hex",
  );
}

/** A tuple as an attribute; only what is given is in it. */
export function writeTuple(type: number, protocol: FlowProtocol, tuple: Partial<Tuple>, family: IPFamily): Buffer {
  const [source, destination] = family === "IPv4" ? [CTA_IP_V4_SRC, CTA_IP_V4_DST] : [CTA_IP_V6_SRC, CTA_IP_V6_DST];
  const ips = [
    ...(tuple.source === undefined ? [] : [attribute(source, addressBytes(tuple.source))]),
    ...(tuple.destination === undefined ? [] : [attribute(destination, addressBytes(tuple.destination))]),
  ];
  return nested(
    type,
    ...(ips.length === 0 ? [] : [nested(CTA_TUPLE_IP, ...ips)]),
    nested(
      CTA_TUPLE_PROTO,
      attribute(CTA_PROTO_NUM, u8(PROTOCOL_NUMBERS[protocol])),
      ...(tuple.sourcePort === undefined ? [] : [attribute(CTA_PROTO_SRC_PORT, u16(tuple.sourcePort))]),
      ...(tuple.destinationPort === undefined ? [] : [attribute(CTA_PROTO_DST_PORT, u16(tuple.destinationPort))]),
    ),
  );
}
