import type { IPFamily } from "../../../src/net/ip.ts";
import type { EngineAbilities } from "../../../src/proxy/engine.ts";
import { NODE, PODS, type Network, type PodName } from "../lab/network.ts";
import type { Cell, End, Expected, Row } from "./row.ts";
import { insteadOf, lack, type AbilityName, type Subject } from "./subject.ts";
import { CALLERS, WAYS, type From } from "./ways.ts";

/** How a row is to be for one engine: each cell's end, and the reasons why some are not as in the table. */
export interface Judged {
  readonly cells: readonly { readonly cell: Cell; readonly expected: Expected; readonly instead: boolean }[];
  readonly reasons: readonly string[];
}

const silence = (expected: Expected): boolean => typeof expected === "string";

/** Pure: what a row is for an engine with these abilities. */
export function judge(row: Row, abilities: EngineAbilities, subject: Subject<never, never, never>): Judged {
  const reasons = new Set<string>();
  const give = (name: AbilityName): string | undefined => {
    const why = lack(abilities, name);
    return why === undefined ? undefined : `${name}: ${why}`;
  };
  const exception = subject.exceptions?.[/^PRX-\d+/.exec(row.name)?.[0] ?? ""];
  const endOf = (cell: Cell): Expected => {
    let expected = row.expected[cell.from]!;
    for (const [name, cells] of Object.entries(row.unless ?? {})) {
      const why = give(name as AbilityName);
      const other = cells[cell.from];
      if (why === undefined || other === undefined) continue;
      reasons.add(why);
      expected = other;
    }
    const why = row.by === undefined ? undefined : give(row.by);
    if (why !== undefined && silence(expected)) {
      reasons.add(why);
      const instead = insteadOf(subject, row.by!, row.name);
      expected = typeof instead === "function" ? instead(cell, expected) : instead;
    }
    const noSource = give("clientSourceAddress");
    if (noSource !== undefined && typeof expected === "object" && expected.source === "kept") {
      reasons.add(noSource);
      expected = { ...expected, source: "node" };
    }
    if (exception?.instead === undefined) return expected;
    reasons.add(exception.why);
    return typeof exception.instead === "function" ? exception.instead(cell, expected) : exception.instead;
  };
  const cells = (row.families ?? (["IPv4", "IPv6"] as const)).flatMap((family) =>
    (row.protocols ?? (["TCP", "UDP"] as const)).flatMap((protocol) =>
      (Object.keys(row.expected) as From[]).map((from) => {
        const cell: Cell = { from, to: row.to, family, protocol };
        const expected = endOf(cell);
        return { cell, expected, instead: expected !== row.expected[from] };
      }),
    ),
  );
  return { cells, reasons: [...reasons] };
}

export const podAt = (address: string): PodName | undefined =>
  (Object.keys(PODS) as PodName[]).find((pod) => PODS[pod].IPv4 === address || PODS[pod].IPv6 === address);

const podOf = (end: End): PodName => end.replace(/:.*/, "") as PodName;

/** The node's address toward a pod. */
const sideOf = (pod: PodName, family: IPFamily): string => NODE[family][PODS[pod].node === "node1" ? "pods" : "node2"];

/** `pod source` of an answer, the source as a word where it is one that a row can name; an answer without a pod is itself. */
function wordOf(answer: string, expected: Expected, { from, family }: Cell): string {
  const [server = "", source = "", port] = answer.split(" ");
  const pod = podAt(server);
  if (pod === undefined) return answer;
  const end = port === undefined ? pod : `${pod}:${port}`;
  if (typeof expected === "object" && expected.source === "any") return `${end} any`;
  // On the side of a pod the node that calls as itself and the node that masquerades are one.
  if (source === sideOf(pod, family)) return `${end} node`;
  return `${end} ${source === CALLERS[from].address[family] ? "kept" : source}`;
}

/** What is to be seen in a cell. */
function wanted(expected: Expected, { from, protocol, family }: Cell): string[] {
  if (expected === "refused") return ["refused"];
  if (expected === "closed") return [protocol === "TCP" ? "closed" : "timeout"];
  if (typeof expected === "string") return ["timeout"];
  const own = CALLERS[from].address[family];
  return expected.pods
    .map((end) => {
      const pod = podOf(end);
      if (expected.source === "any") return `${end} any`;
      // A pod never sees its own address as the source of a call to itself (PRX-063).
      const isNode = expected.source === "node" || PODS[pod][family] === own || sideOf(pod, family) === own;
      return `${end} ${isNode ? "node" : "kept"}`;
    })
    .toSorted();
}

/** A datagram of the node itself that a rule stops is an error at once, whether it is refused or dropped. */
const isSilenced = (seen: readonly string[], expected: Expected, { from, protocol }: Cell): boolean =>
  protocol === "UDP" &&
  CALLERS[from].place === "node" &&
  (expected === "refused" || expected === "dropped") &&
  seen.every((answer) => answer === "not permitted");

/** Calls until all have answered who should, or somebody has who should not. */
async function see(network: Network, number: number, cell: Cell, expected: Expected, scale: number): Promise<string[]> {
  const { place, address, binds } = CALLERS[cell.from];
  const answers = typeof expected === "object";
  const silent = !answers && wanted(expected, cell)[0] === "timeout";
  const call = {
    protocol: cell.protocol,
    ...WAYS[cell.to](number, cell.family),
    times: Math.ceil((answers ? Math.max(3, 4 * expected.pods.length) : 2) / scale),
    wait: (silent ? 300 : 5000) * scale,
    together: 2,
    ...(binds ? { from: address[cell.family] } : {}),
  };
  const seen = new Set<string>();
  const due = new Set(wanted(expected, cell));
  for (let round = 0; round < 15; round++) {
    for (const answer of await network.call(place, call)) seen.add(wordOf(answer, expected, cell));
    if ([...seen].some((word) => !due.has(word)) || seen.size === due.size) break;
  }
  return isSilenced([...seen], expected, cell) ? [...due] : [...seen].toSorted();
}

export interface Seen {
  readonly cell: Cell;
  readonly seen: readonly string[];
  readonly wanted: readonly string[];
  readonly instead: boolean;
}

/** Makes the calls of a row, all cells at a time. */
export const look = (network: Network, number: number, judged: Judged, scale: number): Promise<Seen[]> =>
  Promise.all(
    judged.cells.map(async ({ cell, expected, instead }) => ({
      cell,
      seen: await see(network, number, cell, expected, scale),
      wanted: wanted(expected, cell),
      instead,
    })),
  );
