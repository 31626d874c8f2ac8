import type { IPFamily } from "../../../net/ip.ts";
import { TABLE, TABLE_FAMILY } from "./elements.ts";
import { LIST_MASK, LOCAL_BIT, PORT_MASK } from "./listid.ts";

/** What lists have in common that share a chain: plain numbers, so that there are a few dozen and not one a Service. */
export interface Shape {
  /** Slots in the list, at least 1. */
  readonly slots: number;
  /** Seconds; undefined without affinity. */
  readonly affinity: number | undefined;
  /** Only matters with affinity, whose memory is shared by both lists of a Service port. */
  readonly local: boolean;
}

export const shapeName = ({ slots, affinity, local }: Shape): string =>
  affinity === undefined ? `lb${slots}` : `lb${slots}_t${affinity}${local ? "_local" : ""}`;

/** The shape a chain was made for; undefined for a chain that is none. */
export function shapeOf(chain: string): Shape | undefined {
  const match = /^lb(\d+)(?:_t(\d+)(_local)?)?$/.exec(chain);
  if (match === null) return undefined;
  const affinity = match[2] === undefined ? undefined : Number(match[2]);
  return { slots: Number(match[1]), affinity, local: match[3] !== undefined };
}

/** The low 96 bits of an IPv6 source: nft 1.0.6 aborts on a key of a dynamic map longer than 16 bytes. */
export const clientKey = (family: IPFamily): string => (family === "IPv4" ? "ip saddr" : "@nh,96,96");

/** Translation by map, one rule a protocol: the type of a port belongs to its protocol. */
const dnat = (key: string, maps: readonly [string, string, string]): string[] =>
  (["tcp", "udp", "sctp"] as const).map((l4, at) => `meta l4proto ${l4} dnat to ${key} map @${maps[at]}`);

/** Slot 0 is there as long as the list is: see `chains`. */
const rounds = (slots: number): number[] => [slots, 1];

function affinityChains(shape: Shape, family: IPFamily): [string, string[]][] {
  const suffix = `t${shape.affinity}${shape.local ? "_local" : ""}`;
  const client = `${clientKey(family)} . (meta priority and ${PORT_MASK})`;
  const intoList = shape.local ? [`meta priority set meta priority and 0xffffffff or 0x${LOCAL_BIT.toString(16)}`] : [];
  return [
    [
      shapeName(shape),
      [
        `meta priority set meta priority and ${LIST_MASK}`,
        `jump aff_${suffix}`,
        ...rounds(shape.slots).map(
          (mod) => `meta priority set meta priority . numgen random mod ${mod} map @aslot jump settle_${suffix}`,
        ),
      ],
    ],
    [`aff_${suffix}`, [`meta priority set ${client} map @aff goto settle_${suffix}`]],
    [
      `settle_${suffix}`,
      [
        `update @aff { ${client} timeout ${shape.affinity}s : meta priority }`,
        // Of two first connections at one moment the later takes the choice of the earlier.
        `meta priority set ${client} map @aff`,
        ...intoList,
        ...dnat("meta priority", ["ept", "epu", "eps"]),
        // Here only with an endpoint that is gone from the list: forget it and choose anew (PRX-098).
        `delete @aff { ${client} : meta priority }`,
        `meta priority set meta priority and ${shape.local ? LIST_MASK : PORT_MASK}`,
      ],
    ],
  ];
}

/**
 * The chains of a shape. A packet makes several lookups, and a commit may fall between them: the number of slots is
 * then the old one and the slot chosen may be gone. So every list is tried a second time on slot 0, which exists as
 * long as the list has any endpoint.
 */
function chains(shape: Shape, family: IPFamily): [string, string[]][] {
  if (shape.affinity !== undefined) return affinityChains(shape, family);
  const choose = rounds(shape.slots).flatMap((mod) =>
    dnat(`meta priority . numgen random mod ${mod}`, ["bet", "beu", "bes"]),
  );
  return [[shapeName(shape), [`meta priority set meta priority and ${LIST_MASK}`, ...choose]]];
}

/** nft's lines that make, or make anew, what a shape needs beside its element in `shapes`. */
export function shapeLines(shape: Shape, family: IPFamily): string[] {
  const table = `${TABLE_FAMILY[family]} ${TABLE}`;
  const all = chains(shape, family);
  return [
    ...all.map(([name]) => `add chain ${table} ${name}`),
    ...all.map(([name]) => `flush chain ${table} ${name}`),
    ...all.flatMap(([name, rules]) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
  ];
}
