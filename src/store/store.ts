/** One key as it is stored. Values are JSON text; the store never looks into them. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Revision of the write that created the key. */
  readonly createRevision: number;
  /** Revision of the write that last changed it: the object's `resourceVersion`. */
  readonly modRevision: number;
}

/** What must hold for a write to happen, checked in the same transaction. */
export type Condition =
  /** The key does not exist. */
  | { readonly key: string; readonly absent: true }
  /** The key exists and was last written at this revision. */
  | { readonly key: string; readonly modRevision: number };

export type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  /** Deleting a key that does not exist is no change and no failure. */
  | { readonly type: "delete"; readonly key: string };

/** A write happened at `revision`, or did not because of the first condition that failed (with what is there now). */
export type WriteResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly failed: Condition; readonly current: Entry | undefined };

export interface ListOptions {
  /** At most this many entries; 0 or absent is all. */
  readonly limit?: number;
  /** Continue after this key (exclusive). */
  readonly after?: string;
  /** Read as of this revision; absent or 0 is now. Too old throws {@link Compacted}; of the future waits for nothing and throws RangeError. */
  readonly revision?: number;
}

export interface ListResult {
  readonly entries: readonly Entry[];
  /** The revision all entries were read at. */
  readonly revision: number;
  /** Whether entries were left out by `limit`. */
  readonly more: boolean;
  /** How many were left out; 0 when `more` is false. */
  readonly remaining: number;
}

/** One change. All events of one write carry its revision and arrive together, in the order of its operations. */
export type StoreEvent =
  | { readonly type: "put"; readonly entry: Entry; readonly previous: Entry | undefined }
  | { readonly type: "delete"; readonly key: string; readonly revision: number; readonly previous: Entry };

export interface Watch {
  close(): void;
}

/** A handler that throws ends its own watch, with that error; the writer and the other watches go on. */
export interface WatchHandler {
  /** Events of one or more whole writes, in order of revision. `revision` is the newest one covered (it also grows when nothing under the prefix changed). */
  events(events: readonly StoreEvent[], revision: number): void;
  /** The watch ended and will give no more: {@link Compacted}, a lost connection, or `undefined` after the store was closed. */
  ended(error: Error | undefined): void;
}

/** The asked revision is older than what the store remembers. */
export class Compacted extends Error {
  override readonly name = "Compacted";
  readonly revision: number;
  readonly compactRevision: number;
  constructor(revision: number, compactRevision: number) {
    super(`reading at revision ${revision}: the store remembers no further back than ${compactRevision}`);
    this.revision = revision;
    this.compactRevision = compactRevision;
  }
}

/** The store cannot be reached or cannot serve now; what was asked did not happen. It may answer again at any moment. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** The store went away in the middle of a write. Whether the write happened cannot be told: read, and decide anew. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
}

/** The write is larger than the store takes in one piece; nothing was written. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

/**
 * A revisioned key-value store. Revisions are global and grow by one with each write that changed anything (a put always
 * does, a delete of nothing does not). An empty store is at revision 1, and its first write makes revision 2, as in etcd.
 * Keys are slash-separated paths ordered by their UTF-8 bytes; `prefix` matches by bytes.
 * A write that was acknowledged survives the death of the process and of the machine.
 * A store that is not of this process may throw {@link Unavailable} from every method, and {@link OutcomeUnknown} from `write`.
 */
export interface Store {
  /**
   * Whether other processes write here too. If so, `revision` is at least that of every write that anybody had acknowledged when it
   * was asked, while a watch may be a moment behind it.
   */
  readonly shared: boolean;
  get(key: string): Promise<{ readonly entry: Entry | undefined; readonly revision: number }>;
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /**
   * All or nothing. Two operations on one key in a write, an empty key, and text without a UTF-8 form throw TypeError; more than the
   * store takes at once throws {@link TooLarge}.
   */
  write(conditions: readonly Condition[], operations: readonly Operation[]): Promise<WriteResult>;
  /**
   * Every event with a revision greater than `after`, first those already written, then those to come.
   * Resolves once the watch is registered (its first events may come before that); throws {@link Compacted} when `after` is too old.
   */
  watch(prefix: string, after: number, handler: WatchHandler): Promise<Watch>;
  /** Forgets what only revisions before this one need. A revision of the future throws RangeError; an older one than before changes nothing. */
  compact(revision: number): Promise<void>;
  /** Newest revision. */
  revision(): Promise<number>;
  /** Waits for writes under way, then ends all watches. */
  close(): Promise<void>;
}
