import type { IPFamily } from "../../../net/ip.ts";
import { TABLE, TABLE_FAMILY, type Element, type ElementTable, type SetName } from "./elements.ts";

interface Held {
  readonly data: string | undefined;
  readonly count: number;
}
interface Change {
  readonly family: IPFamily;
  readonly set: SetName;
  readonly key: string;
  readonly before: Held | undefined;
  after: Held | undefined;
}

/** What one transaction will do to the elements: collected beside the table, which only `commit` changes. */
export class Stage {
  readonly #table: ElementTable;
  readonly #changes = new Map<string, Change>();

  constructor(table: ElementTable) {
    this.#table = table;
  }

  #change(element: Element): Change {
    const { family, set, key } = element;
    const name = `${family} ${set} ${key}`;
    let change = this.#changes.get(name);
    if (change === undefined) {
      const before = this.#table.of(family, set).get(key);
      change = { family, set, key, before, after: before };
      this.#changes.set(name, change);
    }
    return change;
  }

  /** One more wants the element. The last to say so decides the data. */
  acquire(element: Element): void {
    const change = this.#change(element);
    change.after = { data: element.data, count: (change.after?.count ?? 0) + 1 };
  }

  /** One less wants it; it goes with the last. */
  release(element: Element): void {
    const change = this.#change(element);
    const count = (change.after?.count ?? 0) - 1;
    change.after = count > 0 ? { data: change.after?.data, count } : undefined;
  }

  /** Takes away an element that nobody wants. */
  sweep(element: Element): void {
    const change = this.#change(element);
    if (change.after?.count === 0) change.after = undefined;
  }

  /** nft's lines: all deletes, then all adds, since a map refuses a key that it has with other data. */
  lines(): string[] {
    const gone = new Map<string, string[]>();
    const come = new Map<string, string[]>();
    const note = (lines: Map<string, string[]>, { family, set }: Change, text: string): void => {
      const name = `${TABLE_FAMILY[family]} ${TABLE} ${set}`;
      const known = lines.get(name);
      if (known === undefined) lines.set(name, [text]);
      else known.push(text);
    };
    for (const change of this.#changes.values()) {
      const { before, after, key } = change;
      if (before !== undefined && after !== undefined && before.data === after.data) continue;
      if (before !== undefined) note(gone, change, key);
      if (after !== undefined) note(come, change, after.data === undefined ? key : `${key} : ${after.data}`);
    }
    const say = (verb: string, lines: Map<string, string[]>): string[] =>
      [...lines].map(([name, elements]) => `${verb} element ${name} { ${elements.join(", ")} }`);
    return [...say("delete", gone), ...say("add", come)];
  }

  /** The kernel has taken the lines. */
  commit(): void {
    for (const { family, set, key, after } of this.#changes.values()) this.#table.put(family, set, key, after);
    this.#changes.clear();
  }
}
