const NONE: ReadonlySet<string> = new Set();

/** Who needs what, looked up from either side. */
export class Needs {
  readonly #needed = new Map<string, ReadonlySet<string>>();
  readonly #needers = new Map<string, Set<string>>();

  /** All that one needs from now on; nothing: it is gone. */
  set(needer: string, needed: ReadonlySet<string>): void {
    for (const each of this.needed(needer)) {
      if (needed.has(each)) continue;
      const needers = this.#needers.get(each);
      needers?.delete(needer);
      if (needers?.size === 0) this.#needers.delete(each);
    }
    for (const each of needed) {
      const needers = this.#needers.get(each);
      if (needers === undefined) this.#needers.set(each, new Set([needer]));
      else needers.add(needer);
    }
    if (needed.size === 0) this.#needed.delete(needer);
    else this.#needed.set(needer, needed);
  }

  needed(needer: string): ReadonlySet<string> {
    return this.#needed.get(needer) ?? NONE;
  }

  needers(of: string): ReadonlySet<string> {
    return this.#needers.get(of) ?? NONE;
  }
}
