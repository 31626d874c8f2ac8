import type { Conntrack } from "../../host/conntrack/conntrack.ts";
import type { Flow } from "../../host/conntrack/flow.ts";
import type { Host } from "../../host/host.ts";
import { loadText } from "../../host/nft.ts";
import { sendAcknowledgements } from "../../host/raw-segment.ts";
import type { Clock } from "../../observe/clock.ts";
import { asked, CLOSING_TABLE, closingText } from "./closing-rules.ts";

/** Milliseconds after which both ends are asked once more: Linux answers at most one such segment in half a second. */
const AGAIN = 700;
/** Milliseconds after the last closing until the table goes. */
const LINGER = 10_000;

/** Closes TCP connections that pass through this machine, whoever has their ends. */
export interface Closer {
  /** Both ends hear a reset; the connections are forgotten. Throws where the rules for it cannot be written. */
  close(flows: readonly Flow[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A reset must say where the connection stands, or the end that hears it takes no notice (RFC 5961). Nobody on the way knows that; so each
 * end is made to say it: it gets a segment that it never asked for, answers with what it has, and the answer meets a rule that resets it.
 */
export function closer(options: {
  readonly host: Host;
  readonly conntrack: Pick<Conntrack, "remove" | "network">;
  readonly clock: Clock;
  readonly random: () => number;
}): Closer {
  const { host, conntrack, clock, random } = options;
  let isThere = false;
  let turn: Promise<unknown> = Promise.resolve();
  const cancels = new Set<() => void>();
  let unused: (() => void) | undefined;

  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const next = turn.then(act);
    turn = next.catch(() => {});
    return next;
  };
  const remove = async (): Promise<void> => {
    if (!isThere) return;
    isThere = false;
    await loadText(host, `delete table inet ${CLOSING_TABLE}\n`);
  };
  const after = (milliseconds: number, act: () => void): (() => void) => {
    const cancel = clock.after(milliseconds, () => (cancels.delete(cancel), act()));
    cancels.add(cancel);
    return cancel;
  };

  return {
    close: (flows) =>
      inTurn(async () => {
        if (flows.length === 0) return;
        try {
          await loadText(host, closingText(flows, isThere));
        } catch (error) {
          // Somebody took the table away, or it never came to be.
          if (!isThere) throw error;
          await loadText(host, closingText(flows, false));
        }
        isThere = true;
        conntrack.remove(flows);
        const ends = flows.flatMap(asked);
        sendAcknowledgements(conntrack.network, ends, random);
        after(AGAIN, () => sendAcknowledgements(conntrack.network, ends, random));
        unused?.();
        unused = after(LINGER, () => void inTurn(remove).catch(() => {}));
      }),
    async stop() {
      for (const cancel of cancels) cancel();
      cancels.clear();
      await inTurn(remove).catch(() => {});
    },
  };
}
