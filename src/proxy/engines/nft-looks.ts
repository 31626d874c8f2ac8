import type { Host } from "../../host/host.ts";
import type { NftGeneration } from "../../host/nft-generation.ts";

/**
 * Spares an engine the programs that look after its rules while nobody has changed any: the kernel counts the changes of all nftables
 * rules, ours and others'. Once others have changed something each look is a real one, until all has been read again.
 */
export class NftLooks {
  readonly #host: Host;
  #opening: Promise<NftGeneration | undefined> | undefined;
  #generation: NftGeneration | undefined;
  /** After our last change. */
  #seen: number | undefined;
  #hasLooked = false;
  #others = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** All is read and compared. */
  read(): void {
    this.#others = false;
    this.#hasLooked = false;
    this.#seen = undefined;
  }

  /** Runs a change of our own, which may turn out to be none. */
  async change<T>(act: () => Promise<T>): Promise<T> {
    const before = this.#now();
    if (this.#seen !== undefined && before !== this.#seen) this.#others = true;
    const hadLooked = this.#hasLooked;
    this.#hasLooked = false;
    const done = await act();
    this.#seen = this.#now();
    this.#hasLooked = hadLooked && this.#seen === before;
    return done;
  }

  /** Whether our rules are there, by `look` where that has to be asked. */
  async intact(look: () => Promise<boolean>): Promise<boolean> {
    await this.#open();
    const now = this.#now();
    if (this.#seen !== undefined && now !== this.#seen) this.#others = true;
    if (now !== undefined && this.#hasLooked && !this.#others) return true;
    this.#seen ??= now;
    this.#hasLooked = await look();
    return this.#hasLooked;
  }

  async close(): Promise<void> {
    await this.#opening;
    this.#generation?.close();
    this.#generation = undefined;
    this.#seen = undefined;
  }

  /** With the first look, since a start has better things to do. Where it cannot be had each look is a real one. */
  async #open(): Promise<void> {
    this.#opening ??= import("../../host/nft-generation.ts")
      .then(({ openNftGeneration }) => openNftGeneration(this.#host))
      .catch(() => undefined);
    this.#generation = await this.#opening;
  }

  #now(): number | undefined {
    try {
      return this.#generation?.now();
    } catch {
      return undefined;
    }
  }
}
