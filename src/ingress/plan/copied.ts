/** A map of which whole states are given out: it is copied before the first change of a round, so that what was given out stays as it is. */
export class Copied<V> {
  #settled: ReadonlyMap<string, V> = new Map();
  #next: Map<string, V> | undefined;

  get(key: string): V | undefined {
    return (this.#next ?? this.#settled).get(key);
  }

  /** Undefined: it is gone. */
  set(key: string, value: V | undefined): void {
    if (this.get(key) === value) return;
    this.#next ??= new Map(this.#settled);
    if (value === undefined) this.#next.delete(key);
    else this.#next.set(key, value);
  }

  /** What it has come to; the very same map as before where nothing changed. */
  settle(): ReadonlyMap<string, V> {
    this.#settled = this.#next ?? this.#settled;
    this.#next = undefined;
    return this.#settled;
  }
}
