import type { Condition, Operation } from "../store.ts";

// What the serving thread and the database's worker say to each other. Rows travel as arrays and columns, because that
// is what costs least to copy between threads; keys and values that the asker already has do not travel back.

/** What a key holds: value, revision of its creation, revision of its last change. */
export type Row = readonly [value: string, createRevision: number, modRevision: number];

/** Entries by column, in order of key. */
export interface Columns {
  readonly keys: readonly string[];
  readonly values: readonly string[];
  readonly createRevisions: readonly number[];
  readonly modRevisions: readonly number[];
}

/** One remembered change: what was put (`undefined` for a delete), and what it replaced. */
export interface Change {
  readonly revision: number;
  readonly key: string;
  readonly put: Row | undefined;
  readonly previous: Row | undefined;
}

/** A write's end: at `revision` with what each operation replaced, or not because of the condition at index `failed`. */
export type WriteAnswer =
  | { readonly revision: number; readonly previous: readonly (Row | undefined)[] }
  | { readonly failed: number; readonly current: Row | undefined };

/** Every question the worker answers, with its answer. */
export interface Calls {
  readonly get: {
    readonly question: { readonly key: string };
    readonly answer: { readonly row: Row | undefined; readonly revision: number };
  };
  readonly list: {
    readonly question: {
      readonly prefix: string;
      readonly limit: number;
      readonly after: string | undefined;
      readonly revision: number;
    };
    readonly answer: { readonly columns: Columns; readonly revision: number; readonly remaining: number };
  };
  /** Every remembered change after a revision, up to the newest at the time of the answer. */
  readonly changes: {
    readonly question: { readonly prefix: string; readonly after: number };
    readonly answer: readonly Change[];
  };
  readonly write: {
    readonly question: { readonly conditions: readonly Condition[]; readonly operations: readonly Operation[] };
    readonly answer: WriteAnswer;
  };
  readonly compact: { readonly question: { readonly revision: number }; readonly answer: null };
  /** Answered when the file is closed; the worker then ends. */
  readonly close: { readonly question: object; readonly answer: null };
}

export type Question = {
  [Type in keyof Calls]: { readonly id: number; readonly type: Type } & Calls[Type]["question"];
}[keyof Calls];

export type WriteQuestion = Extract<Question, { type: "write" | "compact" }>;
export type ReadQuestion = Extract<Question, { type: "get" | "list" | "changes" }>;

/** An error, in a form that keeps its class on the way between threads. */
export type Failure =
  | { readonly name: "Compacted"; readonly revision: number; readonly compactRevision: number }
  | { readonly name: "RangeError" | "Error"; readonly message: string };

export type Reply =
  | { readonly id: number; readonly answer: Calls[keyof Calls]["answer"] }
  | { readonly id: number; readonly failure: Failure };

/** What the worker says of its own accord or in answer. Questions travel the other way as arrays: all of one turn in one message. */
export type WorkerMessage =
  /** The file is open at this revision. `notes` are sentences for the log. */
  | {
      readonly type: "opened";
      readonly revision: number;
      readonly compactRevision: number;
      readonly notes: readonly string[];
    }
  /** The file cannot be used; the sentence says why. The worker ends. */
  | { readonly type: "refused"; readonly sentence: string }
  /** A transaction is durable; these are the replies to its writes, in the order in which they took effect. */
  | {
      readonly type: "committed";
      readonly revision: number;
      readonly compactRevision: number;
      readonly replies: readonly Reply[];
    }
  | { readonly type: "answered"; readonly replies: readonly Reply[] }
  /** The file can no longer be trusted to take writes; the worker ends. */
  | { readonly type: "broken"; readonly sentence: string };

/** What the worker is started with. */
export interface WorkerData {
  readonly path: string;
  /** How much of the past is kept: at least this many changes, unless their replaced values exceed `bytes`. */
  readonly history: { readonly changes: number; readonly bytes: number };
}
