import { rcodeName } from "../../figures/answers.ts";
import { classOf, kindOf } from "./classes.ts";

/** A query that was answered, as the log tells it. */
export interface Told {
  readonly packet: Buffer;
  readonly reply: Buffer;
  /** The question's name in lower case, with its final dot; what is not printable is written `\DDD` (RFC 1035 §5.1). */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly transport: "udp" | "tcp";
  /** Who asks. */
  readonly address: string;
  readonly port: number;
  /** Where it was asked; `""` when it is not known. */
  readonly local: string;
  readonly udpSize: number | undefined;
  readonly dnssecOk: boolean;
  readonly rcode: number;
  readonly milliseconds: number;
}

export const COMMON =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}';
const COMBINED = `${COMMON} "{>opcode}"`;
const UNKNOWN = "-";

const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  10: "NULL",
  12: "PTR",
  13: "HINFO",
  15: "MX",
  16: "TXT",
  17: "RP",
  28: "AAAA",
  29: "LOC",
  33: "SRV",
  35: "NAPTR",
  39: "DNAME",
  43: "DS",
  44: "SSHFP",
  46: "RRSIG",
  47: "NSEC",
  48: "DNSKEY",
  50: "NSEC3",
  52: "TLSA",
  64: "SVCB",
  65: "HTTPS",
  99: "SPF",
  251: "IXFR",
  252: "AXFR",
  255: "ANY",
  256: "URI",
  257: "CAA",
};
const CLASS_NAMES: Readonly<Record<number, string>> = { 1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY" };

const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address || UNKNOWN);

const FLAGS: readonly (readonly [at: number, bit: number, name: string])[] = [
  [2, 0x80, "qr"],
  [2, 0x04, "aa"],
  [2, 0x02, "tc"],
  [2, 0x01, "rd"],
  [3, 0x80, "ra"],
  [3, 0x40, "z"],
  [3, 0x20, "ad"],
  [3, 0x10, "cd"],
];

const PLACES: Readonly<Record<string, (told: Told) => string>> = {
  "{type}": ({ type }) => TYPE_NAMES[type] ?? `TYPE${type}`,
  // RFC 3597 §5 for what has no name.
  "{class}": (told) => CLASS_NAMES[told.class] ?? `CLASS${told.class}`,
  "{name}": ({ name }) => name,
  "{proto}": ({ transport }) => transport,
  "{remote}": ({ address }) => bracketed(address),
  "{port}": ({ port }) => `${port}`,
  "{local}": ({ local }) => bracketed(local),
  "{size}": ({ packet }) => `${packet.length}`,
  "{rcode}": ({ rcode }) => rcodeName(rcode),
  "{rsize}": ({ reply }) => `${reply.length}`,
  "{duration}": ({ milliseconds }) => `${(milliseconds / 1000).toFixed(9)}s`,
  "{>rflags}": ({ reply }) => FLAGS.flatMap(([at, bit, name]) => ((reply[at]! & bit) === 0 ? [] : name)).join(","),
  "{>bufsize}": ({ udpSize, transport }) => `${transport === "tcp" ? 65_535 : (udpSize ?? 512)}`,
  "{>do}": ({ dnssecOk }) => `${dnssecOk}`,
  "{>id}": ({ packet }) => `${packet.readUInt16BE(0)}`,
  "{>opcode}": ({ packet }) => `${(packet[2]! >> 3) & 0x0f}`,
  "{/log/class}": ({ reply }) => classOf(reply),
  "{/log/type}": ({ reply }) => kindOf(reply),
};

export type Format = (told: Told) => string;

/**
 * Reads a format in CoreDNS's terms: `{name}` and the like are replaced, `{/LABEL}` that nobody sets is `-`, all else is written as
 * it is. `""` is the common format.
 */
export function readFormat(text: string): Format {
  const whole = (text === "" ? COMMON : text).replaceAll("{combined}", COMBINED).replaceAll("{common}", COMMON);
  const parts = whole.split(/(\{[^{}]*\})/).map((part): Format => {
    const place = PLACES[part];
    if (place !== undefined) return place;
    const words = part.startsWith("{/") && part.endsWith("}") ? UNKNOWN : part;
    return () => words;
  });
  return (told) => parts.map((part) => part(told)).join("");
}
