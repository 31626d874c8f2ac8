/** Different messages of one kind after which more of them are told as one event; upstream's number. */
const SINGLE = 10;
/** Milliseconds without any after which they are told one by one again. */
const QUIET = 600_000;
/** Kinds of events remembered. */
const REMEMBERED = 1024;

/** How an event is to be told: events of one key are one event whose count grows. */
export interface EventWords {
  readonly key: string;
  readonly message: string;
}

/**
 * Tells what differs in its message only (`Created pod: web-x7k2p`, two hundred times) one by one at first, and then as one:
 * `(combined from similar events): …` with the newest message, as upstream does (client-go's correlator).
 * `kind` is all of the event but its message.
 */
export function createEventWords(): (kind: string, message: string, now: number) => EventWords {
  const records = new Map<string, { messages: Set<string>; lastAt: number }>();
  return (kind, message, now) => {
    let record = records.get(kind);
    if (record === undefined || now - record.lastAt > QUIET) record = { messages: new Set(), lastAt: now };
    // Put last, so that what is forgotten is what was told longest ago.
    records.delete(kind);
    records.set(kind, record);
    if (records.size > REMEMBERED) records.delete(records.keys().next().value!);
    record.lastAt = now;
    record.messages.add(message);
    if (record.messages.size < SINGLE) return { key: JSON.stringify([kind, message]), message };
    record.messages.delete(record.messages.values().next().value!);
    return { key: kind, message: `(combined from similar events): ${message}` };
  };
}
