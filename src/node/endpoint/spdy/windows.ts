/** Bytes that may be under way before the other side has said that it took some (SPDY draft 3, 2.6.8). */
export const WINDOW = 64 * 1024;

/**
 * What we may send on a connection and its streams. A window only holds once the peer has shown that it keeps windows at all: Go's
 * spdystream, and so every kubectl, never updates one, and a sender that held to 64 kB would wait for ever. Until then the connection's
 * own back-pressure is the measure. Stream 0 is the connection.
 */
export class SendWindows {
  readonly #left = new Map<number, number>([[0, WINDOW]]);
  #initial = WINDOW;
  #kept = false;
  #waiting: (() => void)[] = [];

  /** How much of `length` bytes may be sent now. */
  allowed(stream: number, length: number): number {
    if (!this.#kept) return length;
    return Math.max(0, Math.min(length, this.#of(0), this.#of(stream)));
  }

  sent(stream: number, length: number): void {
    for (const each of [0, stream]) this.#left.set(each, this.#of(each) - length);
  }

  /** False when the peer widened a window beyond 2^31 - 1, which is an error of flow control. */
  update(stream: number, by: number): boolean {
    this.#kept = true;
    const next = this.#of(stream) + by;
    if (next > 0x7fffffff) return false;
    this.#left.set(stream, next);
    this.#wake();
    return true;
  }

  /** The peer told the first window of streams; it holds for those that are open too. */
  initial(size: number): void {
    this.#kept = true;
    for (const [stream, left] of this.#left) if (stream !== 0) this.#left.set(stream, left + size - this.#initial);
    this.#initial = size;
    this.#wake();
  }

  forget(stream: number): void {
    this.#left.delete(stream);
    this.#wake();
  }

  /** Resolves when a window may have become wider. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #of(stream: number): number {
    return this.#left.get(stream) ?? this.#initial;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
