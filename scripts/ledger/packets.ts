/** What a run of the packet table has shown of one row; family and protocol are empty where the test chooses its own. */
export interface PacketNote {
  readonly row: string;
  readonly family: string;
  readonly protocol: string;
  readonly outcome: "ok" | "instead" | "skipped" | "failed";
  /** Why it is not as in the row. */
  readonly why?: string;
}

/** A file `node_modules/.cache/fairlead-packets-ENGINE….json`; an engine may have several, each with other rows. */
export interface PacketRun {
  readonly engine: string;
  readonly rows: readonly PacketNote[];
}

/** The order of the columns; others come behind. */
const ENGINES = ["nftables", "iptables", "ipvs", "userspace"];
const SIGNS = { ok: "✓", instead: "≠", skipped: "–", failed: "✗" } as const;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** Why something is not as in its row: each reason once, with its number. */
class Reasons {
  readonly #numbers = new Map<string, number>();

  numberOf(engine: string, why: string): number {
    const reason = `${engine}: ${why}`;
    const number = this.#numbers.get(reason) ?? this.#numbers.size + 1;
    this.#numbers.set(reason, number);
    return number;
  }

  lines(): string[] {
    return [...this.#numbers].map(([reason, number]) => `${number}. ${cell(reason)}`);
  }
}

/** What an engine has made of a row: one sign where all families and protocols agree, else one for each that there is. */
function standing(engine: string, notes: readonly PacketNote[], reasons: Reasons): string {
  if (notes.length === 0) return "";
  const text = ({ outcome, why }: PacketNote): string =>
    `${SIGNS[outcome]}${why === undefined ? "" : ` ${reasons.numberOf(engine, why)}`}`;
  const texts = notes.map(text);
  if (new Set(texts).size === 1) return texts[0]!;
  return notes.map((note, at) => `${note.protocol}/${note.family} ${texts[at]}`).join(", ");
}

/** The section of docs/conformance.md with every row of the packet table and what each engine has made of it; nothing without a run. */
export function packetSection(runs: readonly PacketRun[]): string[] {
  if (runs.length === 0) return [];
  const byEngine = Map.groupBy(runs, ({ engine }) => engine);
  const whole = [...byEngine].map(([engine, parts]): PacketRun => ({
    engine,
    rows: parts.flatMap(({ rows }) => rows),
  }));
  const place = ({ engine }: PacketRun): number =>
    ENGINES.includes(engine) ? ENGINES.indexOf(engine) : ENGINES.length;
  const ordered = whole.toSorted((one, other) => place(one) - place(other));
  const names = new Set(ordered.flatMap((run) => run.rows.map(({ row }) => row)));
  const reasons = new Reasons();
  const body = [...names].map((row) => {
    const found = ordered.map((run) =>
      standing(
        run.engine,
        run.rows.filter((note) => note.row === row),
        reasons,
      ),
    );
    return `| ${cell(row)} | ${found.join(" | ")} |`;
  });
  const list = reasons.lines();
  return [
    "## The packet table",
    "",
    "What each engine made of each row, with real packets between namespaces; in IPv4 and IPv6, TCP and UDP, where nothing else is said.",
    "✓: as the row says. ≠: not as the row says, for the reason with that number; a test shows what happens instead. –: not tried, for that",
    "reason. ✗: failed.",
    "",
    `| row | ${ordered.map(({ engine }) => engine).join(" | ")} |`,
    `|---|${ordered.map(() => "---|").join("")}`,
    ...body,
    "",
    ...(list.length === 0 ? [] : [...list, ""]),
  ];
}
