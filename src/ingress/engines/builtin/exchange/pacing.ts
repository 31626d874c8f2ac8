import type { Clock } from "../../../../observe/clock.ts";
import type { SendRate } from "../../../filters/filters.ts";
import { sendAllowance, sendPause } from "../../../filters/rate-limit/pacing.ts";

export interface Paced {
  /** False: wait for `drained`. */
  write(chunk: Buffer): boolean;
  /** Nothing is held back any more. */
  free(): void;
}

/** The body of one answer, let through no faster than it may go. */
export class Pacing {
  readonly #rate: SendRate;
  readonly #clock: Clock;
  readonly #paced: Paced;
  readonly #began: number;
  readonly #held: Buffer[] = [];
  #sent = 0;
  #isWaiting = false;
  #cancel: (() => void) | undefined;

  constructor(rate: SendRate, clock: Clock, paced: Paced) {
    this.#rate = rate;
    this.#clock = clock;
    this.#paced = paced;
    this.#began = clock.now();
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  put(chunk: Buffer): void {
    this.#held.push(chunk);
    if (!this.#isWaiting) this.#go();
  }

  /** The client takes more. */
  drained(): void {
    if (!this.#isWaiting || this.#cancel !== undefined) return;
    this.#isWaiting = false;
    this.#go();
  }

  stop(): void {
    this.#cancel?.();
    this.#held.length = 0;
  }

  #go(): void {
    for (;;) {
      const [first] = this.#held;
      if (first === undefined) break;
      const elapsed = this.#clock.now() - this.#began;
      const may = sendAllowance(this.#rate, this.#sent, elapsed);
      if (may === 0) {
        this.#isWaiting = true;
        this.#cancel = this.#clock.after(sendPause(this.#rate, this.#sent, elapsed), () => {
          this.#cancel = undefined;
          this.#isWaiting = false;
          this.#go();
        });
        return;
      }
      const part = first.length <= may ? first : first.subarray(0, may);
      if (part === first) this.#held.shift();
      else this.#held[0] = first.subarray(may);
      this.#sent += part.length;
      if (this.#paced.write(part)) continue;
      this.#isWaiting = true;
      return;
    }
    this.#paced.free();
  }
}
