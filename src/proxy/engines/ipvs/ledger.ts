import type { IPFamily } from "../../../net/ip.ts";
import type { Element } from "./compile.ts";
import type { SetName } from "./names.ts";

export interface MarkedElement extends Element {
  /** Only of the set `outside`. */
  readonly mark?: number | undefined;
}

interface Entry {
  readonly element: Element;
  /** How many want it; several Services may share one. */
  count: number;
  /** The mark it shall have, and the one it has in the kernel. */
  wanted: number | undefined;
  held: { readonly mark: number | undefined } | undefined;
}

const nameOf = ({ family, set, key }: Element): string => `${family} ${set} ${key}`;

/** Elements of our sets: who wants them, and what the kernel has. */
export class ElementLedger {
  readonly #entries = new Map<string, Entry>();
  readonly #touched = new Set<Entry>();

  #entry(element: Element): Entry {
    const name = nameOf(element);
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const { family, set, key } = element;
    const entry: Entry = { element: { family, set, key }, count: 0, wanted: undefined, held: undefined };
    this.#entries.set(name, entry);
    return entry;
  }

  found(element: MarkedElement): void {
    this.#entry(element).held = { mark: element.mark };
  }

  has(family: IPFamily, set: SetName, key: string): boolean {
    return this.#entries.get(`${family} ${set} ${key}`)?.held !== undefined;
  }

  markOf(element: Element): number | undefined {
    return this.#entries.get(nameOf(element))?.held?.mark;
  }

  replace(was: readonly MarkedElement[], is: readonly MarkedElement[]): void {
    for (const element of was) {
      const entry = this.#entry(element);
      entry.count -= 1;
      this.#touched.add(entry);
    }
    for (const element of is) {
      const entry = this.#entry(element);
      entry.count += 1;
      entry.wanted = element.mark;
      this.#touched.add(entry);
    }
  }

  /** The elements of a set that the kernel has. */
  keysOf(family: IPFamily, set: SetName): string[] {
    const all = [...this.#entries.values()].filter(({ element, held }) => {
      return held !== undefined && element.family === family && element.set === set;
    });
    return all.map(({ element }) => element.key);
  }

  /** What an earlier run left and nobody wants counts as touched. */
  sweep(families: readonly IPFamily[]): void {
    for (const entry of this.#entries.values()) {
      if (entry.count === 0 && families.includes(entry.element.family)) this.#touched.add(entry);
    }
  }

  /** What is due for those touched: elements that come, and elements that go. One with another mark goes and comes. */
  due(): { readonly come: MarkedElement[]; readonly go: Element[] } {
    const come: MarkedElement[] = [];
    const go: Element[] = [];
    for (const { element, count, wanted, held } of this.#touched) {
      const stays = count > 0 && held !== undefined && held.mark === wanted;
      if (held !== undefined && !stays) go.push(element);
      if (count > 0 && !stays) come.push({ ...element, mark: wanted });
    }
    return { come, go };
  }

  /** What was due is in the kernel. */
  settle(): void {
    for (const entry of this.#touched) {
      if (entry.count > 0) entry.held = { mark: entry.wanted };
      else this.#entries.delete(nameOf(entry.element));
    }
    this.#touched.clear();
  }
}
