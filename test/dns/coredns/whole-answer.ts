import * as packets from "dns-packet";
import { framed, overTcp, overUdp } from "../running.ts";

/** A question as a client may put it. */
export interface Whole {
  readonly name: string;
  readonly type?: packets.RecordType | "ANY";
  readonly rd?: boolean;
  readonly ad?: boolean;
  readonly cd?: boolean;
  /** The largest answer over UDP; absent: without EDNS. */
  readonly edns?: number;
  readonly do?: boolean;
  readonly tcp?: boolean;
}

/** Everything that a client sees of an answer. */
export interface WholeAnswer {
  readonly rcode: string;
  /** `aa rd ra …`, those that are set. */
  readonly flags: string;
  /** The question comes back as it was. */
  readonly question: string;
  /** `none`, or what it says. */
  readonly opt: string;
  readonly answers: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  /** TTLs of all records, in order. */
  readonly ttls: readonly number[];
}

const dataOf = (record: packets.Answer): string => {
  const data: unknown = "data" in record ? record.data : "";
  if (record.type === "TXT") return String(data);
  return typeof data === "string" ? data.toLowerCase() : JSON.stringify(data);
};
const textOf = (record: packets.Answer): string => `${record.name.toLowerCase()} ${record.type} ${dataOf(record)}`;
/** Several addresses come in any order. */
const textsOf = (records: readonly packets.Answer[] = []): string[] =>
  records
    .filter(({ type }) => type !== "OPT")
    .map(textOf)
    .toSorted();

const packetOf = (whole: Whole): Buffer =>
  packets.encode({
    type: "query",
    id: 7,
    flags:
      (whole.rd === false ? 0 : packets.RECURSION_DESIRED) |
      (whole.ad === true ? packets.AUTHENTIC_DATA : 0) |
      (whole.cd === true ? packets.CHECKING_DISABLED : 0),
    questions: [{ name: whole.name, type: (whole.type ?? "A") as packets.RecordType }],
    additionals:
      whole.edns === undefined
        ? []
        : [
            {
              type: "OPT",
              name: ".",
              udpPayloadSize: whole.edns,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: whole.do === true ? packets.DNSSEC_OK : 0,
              flag_do: whole.do === true,
              options: [],
            },
          ],
  });

/** Asks once; fails when no answer comes in time. */
export async function askWhole(port: number, whole: Whole): Promise<WholeAnswer> {
  const packet = packetOf(whole);
  const response =
    whole.tcp === true ? (await overTcp(port, [framed(packet)], 1))[0] : await overUdp(port, packet, 10_000);
  if (response === undefined) throw new Error(`asking port ${port} for ${whole.name}: no answer in 10 seconds`);
  const decoded = packets.decode(response);
  const records = [decoded.answers, decoded.authorities, decoded.additionals].flatMap((each) => each ?? []);
  const opt = records.find((record) => record.type === "OPT");
  const flags = { aa: decoded.flag_aa, tc: decoded.flag_tc, rd: decoded.flag_rd, ra: decoded.flag_ra };
  const set = { ...flags, ad: decoded.flag_ad, cd: decoded.flag_cd };
  return {
    rcode: (decoded as { rcode?: string }).rcode ?? "?",
    flags: Object.keys(set)
      .filter((flag) => set[flag as keyof typeof set])
      .join(" "),
    question: (decoded.questions ?? []).map(({ name, type }) => `${name} ${type}`).join(),
    opt: opt === undefined ? "none" : `${opt.udpPayloadSize}${opt.flag_do ? " do" : ""} ${opt.options.length}`,
    answers: textsOf(decoded.answers),
    authority: textsOf(decoded.authorities),
    additional: textsOf(decoded.additionals),
    ttls: records.flatMap((record) => (record.type !== "OPT" && "ttl" in record ? [record.ttl ?? 0] : [])),
  };
}
