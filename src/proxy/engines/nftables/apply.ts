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
/** Longer texts go through a process of their own, which is faster for bulk and leaves no memory behind. */
const LONGEST_LINE = 32_768;

/** What is due: keys whose part is not the one applied. */
function dueKeys(next: Desired<NftPart, NftFrame>, state: NftState): string[] {
  const candidates = state.frame === undefined ? undefined : next.changed;
  const keys = candidates ?? new Set([...next.parts.keys(), ...state.parts.keys()]);
  return [...keys].filter((key) => next.parts.get(key) !== state.parts.get(key)?.part);
}

async function commit(
  host: Host,
  session: NftSession,
  state: NftState,
  transaction: Transaction,
  families: readonly IPFamily[],
  signal: AbortSignal,
): Promise<void> {
  const generation = ++state.counter;
  const lines = transaction.lines(generation);
  if (lines.length === 0) {
    transaction.commit(undefined);
    return;
  }
  const length = lines.reduce((sum, line) => sum + line.length + 2, 0);
  try {
    if (transaction.writesRules) {
      state.rules = ruleHandles(await loadText(host, `${lines.join("\n")}\n`, signal, ["-a", "-e"]));
    } else if (length <= LONGEST_LINE && state.frame !== undefined) await session.apply(lines);
    else await loadText(host, `${lines.join("\n")}\n`, signal);
  } catch (error) {
    if (transaction.writesRules) throw error;
    // A writer that died may have been heard or not: only the kernel knows (all or nothing, so one marker tells).
    const held = error instanceof NftFailed ? await readGeneration(host, families[0]!) : undefined;
    if (held !== generation) throw error;
  }
  transaction.commit(generation);
}

/** Where nft says that it has put the rules: `ip fairlead nat_pre handle 7`. */
const ruleHandles = (echo: string): string[] =>
  [...echo.matchAll(/^add rule (\S+ \S+ \S+) .*# (handle \d+)$/gm)].map(([, chain, handle]) => `${chain} ${handle}`);

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
  const send = (transaction: Transaction): Promise<void> => commit(host, session, state, transaction, families, signal);

  if (state.frame !== frame) {
    signal.throwIfAborted();
    const transaction = new Transaction(state, families);
    transaction.frame(frame);
    if (isFirst) transaction.sweepRanges(next);
    await send(transaction);
  }
  const spare = new Transaction(state, families);
  spare.retireShapes();
  await send(spare);
  const due = dueKeys(next, state);
  for (let at = 0; at < due.length; at += BATCH) {
    signal.throwIfAborted();
    const transaction = new Transaction(state, families);
    for (const key of due.slice(at, at + BATCH)) transaction.service(key, next.parts.get(key));
    await send(transaction);
  }
  if (state.frame !== frame) {
    signal.throwIfAborted();
    const transaction = new Transaction(state, families);
    transaction.last(frame);
    if (isFirst) transaction.sweep();
    await send(transaction);
  }
  return state;
}
