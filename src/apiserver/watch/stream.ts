import type { Answer } from "../http/exchange.ts";

/** Bytes that may wait for a client that does not read, after what it is being given at first. */
const MAXIMUM_WAITING = 8 * 1024 * 1024;

/**
 * Writes lines to a client without ever waiting for it: what does not fit is kept, and a client that falls too far behind is
 * dropped, because it would otherwise be kept in memory for all time.
 */
export class LineStream {
  readonly #answer: Answer;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isBlocked = false;
  #isEnded = false;
  readonly #onSlow: () => void;

  constructor(answer: Answer, onSlow: () => void) {
    this.#answer = answer;
    this.#onSlow = onSlow;
    answer.on("drain", () => this.#drained());
  }

  /** Lines of one batch, which go out together. */
  write(lines: readonly Buffer[]): void {
    if (this.#isEnded || lines.length === 0) return;
    if (!this.#isBlocked) {
      this.#isBlocked = !this.#answer.write(lines.length === 1 ? lines[0] : Buffer.concat(lines));
      return;
    }
    for (const line of lines) {
      this.#waiting.push(line);
      this.#waitingBytes += line.length;
    }
    if (this.#waitingBytes > MAXIMUM_WAITING) {
      this.#isEnded = true;
      this.#waiting = [];
      this.#onSlow();
    }
  }

  /** Lines of which there may be very many: resolves when the client has room again. */
  async writePaced(line: Buffer): Promise<void> {
    if (this.#isEnded || this.#answer.destroyed) return;
    if (this.#answer.write(line)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#answer.off("drain", done);
        this.#answer.off("close", done);
        resolve();
      };
      this.#answer.on("drain", done);
      this.#answer.on("close", done);
    });
  }

  /** Ends after all that is written. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#waiting.length > 0) this.#answer.write(Buffer.concat(this.#waiting));
    this.#waiting = [];
    this.#answer.end();
  }

  #drained(): void {
    this.#isBlocked = false;
    if (this.#waiting.length === 0 || this.#isEnded) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.write(lines);
  }
}
