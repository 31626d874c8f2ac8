import type { IPFamily } from "../../../net/ip.ts";
import { TABLE, TABLE_FAMILY, type Element, type ElementTable, type SetName } from "./elements.ts";

interface Held {
  readonly data: string | undefined;
  readonly count: number;
}
interface Change {
  readonly before: Held | undefined;
  after: Held | undefined;
}

interface SetChanges {
  readonly family: IPFamily;
  readonly set: SetName;
  readonly held: ReadonlyMap<string, Held>;
  readonly changes: Map<string, Change>;
}

/** What one transaction will do to the elements: collected beside the table, which only `commit` changes. */
export class Stage {
  readonly #table: ElementTable;
  // Maps of maps: a first load of a large cluster is half a million elements, and names to tell them apart cost seconds.
  readonly #sets = { IPv4: new Map<SetName, SetChanges>(), IPv6: new Map<SetName, SetChanges>() };

  constructor(table: ElementTable) {
    this.#table = table;
  }

  #change({ family, set, key }: Element): Change {
    let within = this.#sets[family].get(set);
    if (within === undefined) {
      within = { family, set, held: this.#table.of(family, set), changes: new Map() };
      this.#sets[family].set(set, within);
    }
    let change = within.changes.get(key);
    if (change === undefined) {
      const before = within.held.get(key);
      change = { before, after: before };
      within.changes.set(key, change);
    }
    return change;
  }

  *#all(): Generator<SetChanges> {
    yield* this.#sets.IPv4.values();
    yield* this.#sets.IPv6.values();
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
    const gone: string[] = [];
    const come: string[] = [];
    for (const { family, set, changes } of this.#all()) {
      const deletes: string[] = [];
      const adds: string[] = [];
      for (const [key, { before, after }] of changes) {
        if (before !== undefined && after !== undefined && before.data === after.data) continue;
        if (before !== undefined) deletes.push(key);
        if (after !== undefined) adds.push(after.data === undefined ? key : `${key} : ${after.data}`);
      }
      const name = `${TABLE_FAMILY[family]} ${TABLE} ${set}`;
      if (deletes.length > 0) gone.push(`delete element ${name} { ${deletes.join(", ")} }`);
      if (adds.length > 0) come.push(`add element ${name} { ${adds.join(", ")} }`);
    }
    return [...gone, ...come];
  }

  /** The kernel has taken the lines. */
  commit(): void {
    for (const { family, set, changes } of this.#all()) {
      for (const [key, { before, after }] of changes) if (after !== before) this.#table.put(family, set, key, after);
    }
    this.#sets.IPv4.clear();
    this.#sets.IPv6.clear();
  }
}
