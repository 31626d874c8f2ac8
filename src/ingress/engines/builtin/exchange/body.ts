import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";

/** Bytes of a request's body that are kept, so that it can be sent once more. */
const KEPT = 65_536;

/** A body as one endpoint gets it: what was kept, and then what comes. */
class Copy extends Readable {
  readonly #body: RequestBody;

  constructor(body: RequestBody) {
    super({ highWaterMark: 65_536 });
    this.#body = body;
  }

  override _read(): void {
    this.#body.more(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#body.leave(this);
    callback(error);
  }
}

/** Where a body comes from: a request of either protocol, or a stream. */
export interface BodySource {
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  /** When it has ended. */
  readonly trailers: IncomingHttpHeaders;
}

/**
 * A request's body on its way. It is read as fast as the endpoint takes it, and its beginning is kept for another try. Without anybody who takes
 * it, it waits at the client.
 */
export class RequestBody {
  readonly #source: BodySource;
  readonly #most: number;
  readonly #tooLarge: () => void;
  #kept: Buffer[] | undefined = [];
  #keptSize = 0;
  #copy: Copy | undefined;
  #isReading = false;
  #isDiscarded = false;
  #isForgotten = false;
  /** Somebody else wants all of it: it is kept on, as long as it is short. */
  isWanted = false;
  received = 0;
  hasEnded = false;

  /** @param most bytes that it may have; `tooLarge` is called once when it has more, and nothing of it is given on from then on */
  constructor(source: BodySource, most: number | undefined, tooLarge: () => void) {
    this.#source = source;
    this.#most = most ?? Number.POSITIVE_INFINITY;
    this.#tooLarge = tooLarge;
  }

  /** Whether it can be sent from its beginning. */
  get isWhole(): boolean {
    return this.#kept !== undefined && !this.#isForgotten;
  }

  /** All of it, if it has ended and was kept. */
  get kept(): readonly Buffer[] | undefined {
    return this.hasEnded ? this.#kept : undefined;
  }

  /** From its beginning. Whoever had it before gets no more. */
  send(): Readable {
    const before = this.#copy;
    const copy = new Copy(this);
    this.#copy = copy;
    before?.destroy();
    for (const chunk of this.#kept ?? []) copy.push(chunk);
    if (this.hasEnded) copy.push(null);
    return copy;
  }

  /** It will not be sent again: what was kept is let go. */
  forget(): void {
    this.#isForgotten = true;
    if (!this.isWanted) this.#kept = undefined;
  }

  /** What still comes is thrown away. */
  discard(): void {
    this.#isDiscarded = true;
    if (!this.hasEnded) this.#kept = undefined;
    this.#copy = undefined;
    this.#begin();
    if (!this.hasEnded) this.#source.resume();
  }

  more(copy: Copy): void {
    if (copy !== this.#copy || this.hasEnded) return;
    this.#begin();
    this.#source.resume();
  }

  leave(copy: Copy): void {
    if (copy !== this.#copy) return;
    this.#copy = undefined;
    if (!this.hasEnded && this.#isReading && !this.#isDiscarded) this.#source.pause();
  }

  #begin(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#source.on("data", (chunk) => this.#came(chunk));
    this.#source.on("end", () => {
      this.hasEnded = true;
      this.#copy?.push(null);
    });
  }

  #came(chunk: Buffer): void {
    this.received += chunk.length;
    if (this.#isDiscarded) return;
    if (this.received > this.#most) {
      this.discard();
      this.#tooLarge();
      return;
    }
    if (this.#kept !== undefined) {
      this.#keptSize += chunk.length;
      if (this.#keptSize > KEPT) this.#kept = undefined;
      else this.#kept.push(chunk);
    }
    if (this.#copy === undefined || !this.#copy.push(chunk)) this.#source.pause();
  }
}
