import * as packets from "dns-packet";
import { NXDOMAIN, SERVFAIL } from "../resolver.ts";

const NOTIMP = 4;
const REFUSED = 5;

const soa = (ttl: number, minimum: number): packets.Answer => ({
  type: "SOA",
  name: "test",
  ttl,
  data: { mname: "ns.test", rname: "root.test", serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});

const isDo = ({ additionals = [] }: packets.DecodedPacket): boolean =>
  additionals.some((record) => record.type === "OPT" && record.flag_do);

/** The most bytes that the asker takes over UDP. */
const sizeOf = ({ additionals = [] }: packets.DecodedPacket): number => {
  const opt = additionals.find(({ type }) => type === "OPT");
  return opt?.type === "OPT" ? Math.max(512, opt.udpPayloadSize) : 512;
};

type Behaviour = (query: packets.DecodedPacket, transport: "udp" | "tcp") => Buffer;

/** A response with these records, flags and code. */
const full = (
  query: packets.DecodedPacket,
  records: { answers?: packets.Answer[]; authorities?: packets.Answer[]; flags?: number },
): Buffer =>
  packets.encode({
    type: "response",
    ...(query.id === undefined ? {} : { id: query.id }),
    // RD and CD come back as they were sent (RFC 1035 §4.1.1, RFC 4035 §3.2.2).
    flags:
      (query.flag_rd ? packets.RECURSION_DESIRED : 0) |
      (query.flag_cd ? packets.CHECKING_DISABLED : 0) |
      packets.RECURSION_AVAILABLE |
      (records.flags ?? 0),
    questions: query.questions ?? [],
    answers: records.answers ?? [],
    authorities: records.authorities ?? [],
    // A resolver that speaks EDNS does so to whoever does.
    additionals: (query.additionals ?? []).some(({ type }) => type === "OPT")
      ? [
          {
            type: "OPT",
            name: ".",
            udpPayloadSize: 4096,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: isDo(query) ? packets.DNSSEC_OK : 0,
            flag_do: isDo(query),
            options: [],
          },
        ]
      : [],
  });

const nameOf = ({ questions }: packets.DecodedPacket): string => questions![0]!.name;
const typeOf = ({ questions }: packets.DecodedPacket): string => questions![0]!.type;
const a = (name: string, ttl: number, data = "198.51.100.1"): packets.Answer => ({ type: "A", name, ttl, data });

const withTtl =
  (ttl: number): Behaviour =>
  (query) =>
    typeOf(query) === "A"
      ? full(query, { answers: [a(nameOf(query), ttl)] })
      : full(query, { authorities: [soa(60, 8)] });
const denied =
  (code: number, ttl: number, minimum: number): Behaviour =>
  (query) =>
    full(query, { authorities: [soa(ttl, minimum)], flags: code });
const failing =
  (code: number): Behaviour =>
  (query) =>
    full(query, { flags: code });

/** How the resolver behind answers, by the first label of a name; a digit behind it makes no difference. */
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  plain: withTtl(40),
  long: withTtl(86_400),
  short: withTtl(3),
  zero: withTtl(0),
  alias: (query) =>
    full(query, {
      answers: [{ type: "CNAME", name: nameOf(query), ttl: 9, data: "some.example.test" }, a("some.example.test", 25)],
    }),
  aliasonly: (query) =>
    full(query, {
      answers: [{ type: "CNAME", name: nameOf(query), ttl: 9, data: "void.example.test" }],
      authorities: [soa(20, 15)],
    }),
  nx: denied(NXDOMAIN, 60, 7),
  nxlow: denied(NXDOMAIN, 6, 60),
  nodata: denied(0, 60, 8),
  nosoa: failing(NXDOMAIN),
  empty: failing(0),
  fail: failing(SERVFAIL),
  refused: failing(REFUSED),
  notimp: failing(NOTIMP),
  authority: (query) => full(query, { answers: [a(nameOf(query), 40)], flags: packets.AUTHORITATIVE_ANSWER }),
  authentic: (query) => full(query, { answers: [a(nameOf(query), 40)], flags: packets.AUTHENTIC_DATA }),
  big: (query, transport) =>
    transport === "udp"
      ? full(query, { flags: packets.TRUNCATED_RESPONSE })
      : full(query, {
          answers: Array.from({ length: 60 }, (_, at) => a(nameOf(query), 40, `198.51.100.${at}`)),
        }),
  many: (query) =>
    full(query, { answers: Array.from({ length: 25 }, (_, at) => a(nameOf(query), 40, `198.51.100.${at}`)) }),
  norecursion: (query) => {
    const bytes = full(query, { answers: [a(nameOf(query), 40)] });
    bytes[3] = bytes[3]! & 0x7f;
    return bytes;
  },
  text: (query) =>
    full(query, {
      answers: typeOf(query) === "TXT" ? [{ type: "TXT", name: nameOf(query), ttl: 40, data: ["one", "two"] }] : [],
      authorities: typeOf(query) === "TXT" ? [] : [soa(60, 8)],
    }),
};

/** The resolver for all that is not the cluster's, which answers a question always alike; what it does not know is not there. */
export function worldReply(query: packets.DecodedPacket, transport: "udp" | "tcp"): Buffer[] {
  const label = nameOf(query).toLowerCase().split(".")[0]!.replace(/\d+$/, "");
  const behaviour = Object.hasOwn(BEHAVIOURS, label) ? BEHAVIOURS[label]! : denied(NXDOMAIN, 60, 7);
  const bytes = behaviour(query, transport);
  const isTooLarge = transport === "udp" && bytes.length > sizeOf(query);
  return [isTooLarge ? full(query, { flags: packets.TRUNCATED_RESPONSE }) : bytes];
}
