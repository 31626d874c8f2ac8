import type { IPFamily } from "../../../net/ip.ts";
import type { Protocol } from "../../plan/plan.ts";

/** The interface that holds the addresses of Services; it leads nowhere. */
export const INTERFACE = "fairlead-ipvs";

/** What Services and the node put elements into; see README.md for what each means. */
export const SETS = {
  ways: "hash:ip,port",
  drop: "hash:ip,port",
  reject: "hash:ip,port",
  outside: "hash:ip,port",
  "outside-drop": "hash:ip,port",
  hide: "hash:ip,port",
  "hide-strangers": "hash:ip,port",
  guarded: "hash:ip,port",
  allowed: "hash:ip,port,net",
  hairpin: "hash:ip,port,ip",
  addresses: "hash:ip",
  own: "hash:ip",
  pods: "hash:net",
  ranges: "hash:net",
  health: "bitmap:port",
} as const;
export type SetName = keyof typeof SETS;

const DIGIT = { IPv4: "4", IPv6: "6" } as const satisfies Record<IPFamily, string>;
export const FAMILIES = ["IPv4", "IPv6"] as const satisfies readonly IPFamily[];

export const setName = (family: IPFamily, set: SetName): string => `fairlead-${DIGIT[family]}-${set}`;

/** The reverse of {@link setName}; undefined for a set that is none of ours. */
export function setOf(name: string): { readonly family: IPFamily; readonly set: SetName } | undefined {
  const match = /^fairlead-([46])-(.+)$/.exec(name);
  const [, digit, set = ""] = match ?? [];
  return set in SETS ? { family: digit === "4" ? "IPv4" : "IPv6", set: set as SetName } : undefined;
}

/** ipset's words to make a set. */
export function setCreation(family: IPFamily, set: SetName): string {
  const type = SETS[set];
  const head = `create ${setName(family, set)} ${type}`;
  if (type === "bitmap:port") return `${head} range 0-65535`;
  const inet = family === "IPv4" ? "inet" : "inet6";
  return `${head} family ${inet} maxelem 1048576${set === "outside" ? " skbinfo" : ""}`;
}

/**
 * Marks of packets that outsiders send where externalTrafficPolicy is Local, between two hooks: they name a virtual server.
 * The twelve bits on top say that a mark is ours, the last two the protocol, those between are a number.
 */
export const MARK_BASE = 0x69700000;
export const MARK_MASK = 0xfff00000;
export const MAX_MARK_NUMBER = 0x3ffff;
const PROTOCOL_BITS = { TCP: 0, UDP: 1, SCTP: 2 } as const satisfies Record<Protocol, number>;
export const markText = (mark: number): string => `0x${mark.toString(16)}/0xffffffff`;
export const markFor = (number: number, protocol: Protocol): number => MARK_BASE + number * 4 + PROTOCOL_BITS[protocol];
export const isOurMark = (mark: number): boolean => (mark & MARK_MASK) >>> 0 === MARK_BASE;

export const L4 = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const satisfies Record<Protocol, string>;

const FLAG = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" } as const satisfies Record<Protocol, string>;

/** An address and port as ipvsadm writes them. */
export const endpointText = (ip: string, port: number): string =>
  ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;

/** A virtual server as ipvsadm names it: this text is its key everywhere. */
export const serverKey = (protocol: Protocol, ip: string, port: number): string =>
  `${FLAG[protocol]} ${endpointText(ip, port)}`;
export const markKey = (family: IPFamily, mark: number): string => `-f ${mark}${family === "IPv6" ? " -6" : ""}`;

/** The element of `ways` that goes with the key of a virtual server; undefined for one named by a mark. */
export function wayOfKey(key: string): { readonly family: IPFamily; readonly way: string } | undefined {
  const match = /^(-t|-u|--sctp-service) (?:\[(.+)\]|([^:]+)):(\d+)$/.exec(key);
  if (match === null) return undefined;
  const l4 = match[1] === "-t" ? "tcp" : match[1] === "-u" ? "udp" : "sctp";
  const ip = match[2] ?? match[3]!;
  return { family: match[2] === undefined ? "IPv4" : "IPv6", way: `${ip},${l4}:${match[4]}` };
}

/** Whether the virtual server carries TCP. */
export function isTcpKey(key: string): boolean {
  const mark = markOfKey(key);
  return mark === undefined ? key.startsWith("-t ") : (mark & 3) === PROTOCOL_BITS.TCP;
}

/** The mark that names a virtual server; undefined where an address does. */
export function markOfKey(key: string): number | undefined {
  const match = /^-f (\d+)/.exec(key);
  return match === null ? undefined : Number(match[1]);
}
