import type { IPFamily } from "../../../net/ip.ts";
import { TABLE, TABLE_FAMILY } from "./elements.ts";
import { LIST_MASK, LOCAL_BIT, PORT_MASK } from "./listid.ts";

/** How a slot is chosen: each as likely, the next in turn, or by the client's address. */
export type Choice = "random" | "turn" | "client";

/** What lists have in common that share a chain: plain numbers, so that there are a few dozen and not one a Service. */
export interface Shape {
  /** Slots in the list, at least 1. */
  readonly slots: number;
  readonly choice: Choice;
  /** The number of the list whose turns these are: turns are counted in the chain, so such a list has its own. */
  readonly list: number | undefined;
  /** Seconds; undefined without affinity. */
  readonly affinity: number | undefined;
  /** Only matters with affinity, whose memory is shared by both lists of a Service port. */
  readonly local: boolean;
  /** Only the address is translated. */
  readonly keepsPort: boolean;
}

const PREFIX = { random: "lb", turn: "rr", client: "ch" } as const satisfies Record<Choice, string>;

const suffixOf = ({ affinity, local, keepsPort }: Omit<Shape, "slots" | "choice" | "list">): string =>
  `${affinity === undefined ? "" : `_t${affinity}`}${local ? "_local" : ""}${keepsPort ? "_port" : ""}`;

export const shapeName = (shape: Shape): string =>
  `${PREFIX[shape.choice]}${shape.slots}${shape.list === undefined ? "" : `_of${shape.list.toString(16)}`}${suffixOf(shape)}`;

/** The shape a chain was made for; undefined for a chain that is none. */
export function shapeOf(chain: string): Shape | undefined {
  const match = /^(lb|rr|ch)(\d+)(?:_of([\da-f]+))?(?:_t(\d+))?(_local)?(_port)?$/.exec(chain);
  if (match === null) return undefined;
  const [, prefix, slots, list, seconds, local, port] = match;
  return {
    slots: Number(slots),
    choice: prefix === "lb" ? "random" : prefix === "rr" ? "turn" : "client",
    list: list === undefined ? undefined : Number.parseInt(list, 16),
    affinity: seconds === undefined ? undefined : Number(seconds),
    local: local !== undefined,
    keepsPort: port !== undefined,
  };
}

/** The low 96 bits of an IPv6 source: nft 1.0.6 aborts on a key of a dynamic map longer than 16 bytes. */
export const clientKey = (family: IPFamily): string => (family === "IPv4" ? "ip saddr" : "@nh,96,96");

/** Of the hash of a client's address: given, so that every node sends a client to the same endpoint. */
const SEED = "0x0fa17";

/** nft's number of a slot. Slot 0 is tried after it: see `chains`. */
function numbers({ choice, slots }: Shape, family: IPFamily): string[] {
  const first = "numgen random mod 1";
  if (slots === 1) return [first];
  if (choice === "random") return [`numgen random mod ${slots}`, first];
  if (choice === "turn") return [`numgen inc mod ${slots}`, first];
  return [`jhash ${TABLE_FAMILY[family]} saddr mod ${slots} seed ${SEED}`, first];
}

/** Translation by map; where the port is translated too, one rule a protocol: the type of a port belongs to its protocol. */
const dnat = (key: string, shape: Shape, maps: "be" | "ep"): string[] =>
  shape.keepsPort
    ? [`dnat to ${key} map @${maps}a`]
    : (["tcp", "udp", "sctp"] as const).map((l4) => `meta l4proto ${l4} dnat to ${key} map @${maps}${l4[0]}`);

function affinityChains(shape: Shape, family: IPFamily): [string, string[]][] {
  const suffix = suffixOf(shape);
  const client = `${clientKey(family)} . (meta priority and ${PORT_MASK})`;
  const intoList = shape.local ? [`meta priority set meta priority and 0xffffffff or 0x${LOCAL_BIT.toString(16)}`] : [];
  return [
    [
      shapeName(shape),
      [
        `meta priority set meta priority and ${LIST_MASK}`,
        `jump aff${suffix}`,
        ...numbers(shape, family).map(
          (number) => `meta priority set meta priority . ${number} map @aslot jump settle${suffix}`,
        ),
      ],
    ],
    [`aff${suffix}`, [`meta priority set ${client} map @aff goto settle${suffix}`]],
    [
      `settle${suffix}`,
      [
        `update @aff { ${client} timeout ${shape.affinity}s : meta priority }`,
        // Of two first connections at one moment the later takes the choice of the earlier.
        `meta priority set ${client} map @aff`,
        ...intoList,
        ...dnat("meta priority", shape, "ep"),
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
  const choose = numbers(shape, family).flatMap((number) => dnat(`meta priority . ${number}`, shape, "be"));
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
