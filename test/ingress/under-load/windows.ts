/** From when to when something was so. */
interface Window {
  readonly from: number;
  until: number;
}

/** What may answer what, and when. */
export interface Windows {
  /** These pairs are so from now on, besides those that were; `settle` ends the others. */
  open(pairs: ReadonlySet<string>, at: number): void;
  settle(pairs: ReadonlySet<string>, at: number): void;
  /** Whether it was so at any time of a request. */
  was(pair: string, from: number, to: number): boolean;
}

export function createWindows(): Windows {
  const windows = new Map<string, Window[]>();
  return {
    open(pairs, at) {
      for (const pair of pairs) {
        const had = windows.get(pair) ?? [];
        windows.set(pair, had);
        if (had.at(-1)?.until !== Infinity) had.push({ from: at, until: Infinity });
      }
    },
    settle(pairs, at) {
      for (const [pair, had] of windows) {
        const last = had.at(-1)!;
        if (!pairs.has(pair) && last.until === Infinity) last.until = at;
      }
    },
    was: (pair, from, to) => (windows.get(pair) ?? []).some((window) => window.from <= to && window.until >= from),
  };
}
