import type { Flow, Tuple } from "../../host/conntrack/flow.ts";

/** Our own table for connections that are being closed; whatever engine carries. */
export const CLOSING_TABLE = "fairlead_closing";

/** Seconds in which both ends of a connection that is being closed hear so. */
const GOING_SECONDS = 5;

const SETS = ["going", "asking"] as const;
const FAMILIES = [
  ["4", "ip", "ipv4_addr"],
  ["6", "ip6", "ipv6_addr"],
] as const;

const key = (l3: string): string => `${l3} saddr . tcp sport . ${l3} daddr . tcp dport`;

/**
 * Before connection tracking (priority -300), so that no packet of a forgotten connection begins a new one: whatever either end still says is
 * answered with a reset that fits, and what we say ourselves to make them speak is not tracked. A new connection of the same ports passes.
 */
const CHAINS = ["prerouting", "output"].map((hook) => {
  const going = FAMILIES.map(
    ([number, l3]) => `    tcp flags & (syn | rst) == 0 ${key(l3)} @going${number} reject with tcp reset`,
  );
  const asking = FAMILIES.map(([number, l3]) => `    ${key(l3)} @asking${number} notrack`);
  return [
    `  chain ${hook} {`,
    `    type filter hook ${hook} priority -310; policy accept;`,
    ...going,
    ...(hook === "output" ? asking : []),
    "  }",
  ].join("\n");
});

const FRAME = [
  `table inet ${CLOSING_TABLE} {`,
  ...SETS.flatMap((name) =>
    FAMILIES.map(
      ([number, , type]) =>
        `  set ${name}${number} { type ${type} . inet_service . ${type} . inet_service; timeout ${GOING_SECONDS}s; }`,
    ),
  ),
  ...CHAINS,
  "}",
].join("\n");

const element = ({ source, sourcePort, destination, destinationPort }: Tuple): string =>
  `${source} . ${sourcePort} . ${destination} . ${destinationPort}`;

/** The other direction of a tuple. */
const inverse = ({ source, sourcePort, destination, destinationPort }: Tuple): Tuple => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
});

/** What each end of a flow is told by us, as the other end of it, so that it speaks. */
export const asked = ({ original, reply }: Flow): readonly Tuple[] => [inverse(original), inverse(reply)];

/** Has both ends of these flows hear that they are over; `isThere`: the table is. One transaction. */
export function closingText(flows: readonly Flow[], isThere: boolean): string {
  const lines: string[] = isThere
    ? []
    : [`add table inet ${CLOSING_TABLE}`, `delete table inet ${CLOSING_TABLE}`, FRAME];
  const add = (set: string, tuples: readonly Tuple[]): void => {
    if (tuples.length === 0) return;
    lines.push(`add element inet ${CLOSING_TABLE} ${set} { ${[...new Set(tuples.map(element))].join(", ")} }`);
  };
  for (const [number, family] of [
    ["4", "IPv4"],
    ["6", "IPv6"],
  ] as const) {
    const mine = flows.filter((flow) => flow.family === family);
    add(
      `going${number}`,
      mine.flatMap(({ original, reply }) => [original, reply]),
    );
    add(`asking${number}`, mine.flatMap(asked));
  }
  return `${lines.join("\n")}\n`;
}
