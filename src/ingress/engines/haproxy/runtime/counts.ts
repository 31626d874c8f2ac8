import type { EngineCount } from "../../../engine.ts";
import type { Command } from "./protocol.ts";

/** Of frontends and backends; as comma separated values under a line of names. */
export const SHOW_COUNTS: Command = { text: "show stat -1 3 -1", complaint: () => undefined };

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** Answers of one proxy, a number for each class of status. */
export type Answered = readonly number[];

/** What the workers have counted since they began, by the name of the section. Lines that are none are passed over. */
export function readCounts(text: string): Map<string, Answered> {
  const [names = "", ...lines] = text.split("\n");
  const columns = names.replace(/^# /, "").split(",");
  const at = CLASSES.map((name) => columns.indexOf(`hrsp_${name}`));
  const counts = new Map<string, Answered>();
  for (const line of lines) {
    const [section, , ...rest] = line.split(",");
    if (section === undefined || rest.length === 0) continue;
    counts.set(
      section,
      at.map((column) => Number(rest[column - 2] ?? 0)),
    );
  }
  return counts;
}

/** Adds up what changing workers and sections with changing owners have counted. */
export class Counts {
  #last: ReadonlyMap<string, Answered> = new Map();
  readonly #sums = new Map<string, number[]>();

  /** New workers count from 0. */
  restart(): void {
    this.#last = new Map();
  }

  /** `owner` of a section's answers is `namespace/service:port`, or empty for the door itself; undefined: somebody else counts them. */
  add(now: ReadonlyMap<string, Answered>, frontend: string, owner: (section: string) => string | undefined): void {
    const own = [...(this.#since(now, frontend) ?? [])];
    for (const section of now.keys()) {
      if (section === frontend) continue;
      const more = this.#since(now, section)!;
      for (const [at, count] of more.entries()) own[at] = (own[at] ?? 0) - count;
      this.#sum(owner(section), more);
    }
    // A request whose answer has begun is counted by its backend first.
    this.#sum(
      "",
      own.map((count) => Math.max(0, count)),
    );
    this.#last = now;
  }

  #since(now: ReadonlyMap<string, Answered>, section: string): Answered | undefined {
    const had = this.#last.get(section);
    return now.get(section)?.map((count, at) => Math.max(0, count - (had?.[at] ?? 0)));
  }

  #sum(owner: string | undefined, more: Answered): void {
    if (owner === undefined || more.every((count) => count === 0)) return;
    const sum = this.#sums.get(owner);
    if (sum === undefined) this.#sums.set(owner, [...more]);
    else for (const [at, count] of more.entries()) sum[at] = (sum[at] ?? 0) + count;
  }

  all(): EngineCount[] {
    return [...this.#sums].flatMap(([owner, sums]) =>
      CLASSES.flatMap((status, at): EngineCount[] =>
        sums[at] === 0 || sums[at] === undefined
          ? []
          : [{ backend: owner === "" ? undefined : owner, status, requests: sums[at] }],
      ),
    );
  }
}
