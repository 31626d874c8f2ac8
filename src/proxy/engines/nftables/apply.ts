import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { Desired } from "../../engine.ts";
import type { NftPart } from "./compile.ts";
import type { NftFrame } from "./frame.ts";
import { loadText, NftFailed, type NftSession } from "../../../host/nft.ts";
import { readGeneration } from "./read.ts";
import { Transaction } from "./stage.ts";
import type { NftState } from "./state.ts";

/** Services in one transaction: whole ones, so that between two a Service is absent or complete. */
const BATCH = 2000;
/** Services made ready between two looks at what nft waits for. */
const BREATH = 50;
/** Longer texts go through a process of their own, which is faster for bulk and leaves no memory behind. */
const LONGEST_LINE = 32_768;

/** What is due: keys whose part is not the one applied. */
function dueKeys(next: Desired<NftPart, NftFrame>, state: NftState): string[] {
  const candidates = state.frame === undefined ? undefined : next.changed;
  const keys = candidates ?? new Set([...next.parts.keys(), ...state.parts.keys()]);
  return [...keys].filter((key) => next.parts.get(key) !== state.parts.get(key)?.part);
}

/** Gives the lines to nft. Throws NftFailed where they are not in the kernel. */
async function write(
  { host, session, state, signal }: Writer,
  lines: readonly string[],
  generation: number,
  by: "session" | "process" | "process that tells the rules",
  family: IPFamily,
): Promise<void> {
  if (by === "process that tells the rules") {
    state.rules = ruleHandles(await loadText(host, `${lines.join("\n")}\n`, signal, ["-a", "-e"]));
    return;
  }
  try {
    if (by === "session") await session.apply(lines);
    else await loadText(host, `${lines.join("\n")}\n`, signal);
  } catch (error) {
    // A writer that died may have been heard or not: only the kernel knows (all or nothing, so one marker tells).
    const held = error instanceof NftFailed ? await readGeneration(host, family) : undefined;
    if (held !== generation) throw error;
  }
}

interface Writer {
  readonly host: Host;
  readonly session: NftSession;
  readonly state: NftState;
  readonly signal: AbortSignal;
}

/** Where nft says that it has put the rules: `ip fairlead nat_pre handle 7`. */
const ruleHandles = (echo: string): string[] =>
  [...echo.matchAll(/^add rule (\S+ \S+ \S+) .*# (handle \d+)$/gm)].map(([, chain, handle]) => `${chain} ${handle}`);

/**
 * One transaction after another. While nft has one, the next is made ready as if that were in the kernel already: when it
 * is not, `done` or the next `send` throws, and what was made is thrown away with the whole state.
 */
class Sequence {
  readonly #writer: Writer;
  readonly #families: readonly IPFamily[];
  #flight: Promise<void> | undefined;

  constructor(writer: Writer, families: readonly IPFamily[]) {
    this.#writer = writer;
    this.#families = families;
  }

  async send(transaction: Transaction): Promise<void> {
    const { state, signal } = this.#writer;
    const generation = ++state.counter;
    const isFirst = state.frame === undefined;
    const lines = transaction.lines(generation);
    transaction.commit(lines.length === 0 ? undefined : generation);
    if (lines.length === 0) return;
    const length = lines.reduce((sum, line) => sum + line.length + 2, 0);
    const by = transaction.writesRules
      ? "process that tells the rules"
      : length <= LONGEST_LINE && !isFirst
        ? "session"
        : "process";
    await this.#flight;
    signal.throwIfAborted();
    this.#flight = write(this.#writer, lines, generation, by, this.#families[0]!);
    this.#flight.catch(() => {}); // Heard by who awaits it next.
  }

  /** Lets nft have its input, which goes through our event loop. */
  async breathe(): Promise<void> {
    if (this.#flight !== undefined) await new Promise((resolve) => setImmediate(resolve));
  }

  async done(): Promise<void> {
    await this.#flight;
  }
}

/** Makes the kernel hold what `next` says. Throws NftFailed; then nothing is known and `read` must come first. */
export async function apply(
  host: Host,
  session: NftSession,
  next: Desired<NftPart, NftFrame>,
  state: NftState,
  signal: AbortSignal,
): Promise<NftState> {
  const { frame } = next;
  const { families } = frame;
  const isFirst = state.frame === undefined;
  const sequence = new Sequence({ host, session, state, signal }, families);
  try {
    if (state.frame !== frame) {
      const transaction = new Transaction(state, families);
      transaction.frame(frame);
      if (isFirst) transaction.sweepRanges(next);
      await sequence.send(transaction);
    }
    const spare = new Transaction(state, families);
    spare.retireShapes();
    await sequence.send(spare);
    const due = dueKeys(next, state);
    for (let at = 0; at < due.length; at += BATCH) {
      const transaction = new Transaction(state, families);
      for (const [count, key] of due.slice(at, at + BATCH).entries()) {
        transaction.service(key, next.parts.get(key));
        if (count % BREATH === BREATH - 1) await sequence.breathe();
      }
      await sequence.send(transaction);
    }
    if (state.frame !== frame) {
      const transaction = new Transaction(state, families);
      transaction.last(frame);
      if (isFirst) transaction.sweep();
      await sequence.send(transaction);
    }
  } finally {
    await sequence.done();
  }
  return state;
}
