import type { Fault } from "./fault.ts";
import type { KubeObject, Resource } from "./object.ts";
import type { Scaling } from "./scale/scale.ts";

/** A column of `kubectl get`; priority 1 shows only with `-o wide`. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date" | "boolean";
  readonly format?: string;
  readonly description: string;
  readonly priority?: 0 | 1;
}

export type Cell = string | number | boolean | null;

/** What the object being written is judged beside: everything a strategy may look at, and nothing that acts. */
export interface WriteContext {
  /** RFC 3339, seconds. */
  readonly now: string;
}

/**
 * Everything the API server must know about a kind, as data and pure functions. The server is generic over this;
 * a new kind is a folder beside its siblings and a line in `kinds.ts`.
 * All functions may be called with objects that other callers hold: those that return an object return a new one.
 */
export interface Kind<T extends KubeObject = KubeObject> extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Name of the root type in the generated field table. */
  readonly type: string;
  /** `status`, `finalize`: the parts of the object written through a path of their own. */
  readonly subresources: readonly ("status" | "finalize")[];
  /** Of a kind that keeps a number of pods, which `/scale` says and sets. */
  readonly scaling?: Scaling<T>;
  /** True for kinds whose dependents stay when a DELETE says nothing about them: what their first clients counted on. */
  readonly orphansDependents?: true;
  /** What DELETE answers with (Service, Pod and Namespace answer with the object; most kinds with a Status). */
  readonly deleteAnswers: "object" | "status";
  /** Whether PUT to a name that does not exist creates it: true for Service, Endpoints, Event and Lease; 404 for others (SVC-189). */
  readonly createOnUpdate: boolean;
  /** True for kinds of which a PUT must name the version that it replaces. */
  readonly needsRevision?: true;
  /** False: a `generateName` is the name, without anything behind (SVC-259). */
  readonly generatesNames?: false;
  /** Seconds a deleted object stays with a deletionTimestamp so that somebody can end it well; undefined: it goes at once. */
  graceSeconds?(object: T, requested: number | undefined): number;
  /** Fills what the writer left out. Runs on every decoded object, before `validate`. */
  defaults(object: T): T;
  /** The object to store on create: fields a writer may not set are cleared (status, generation, …). */
  prepareForCreate(object: T, context: WriteContext): T;
  /** The object to store on update through the main resource: status restored, immutable server fields kept. */
  prepareForUpdate(next: T, previous: T, context: WriteContext): T;
  /** The object to store on update through `/status`: all but status (and metadata, where the kind allows it) restored. */
  prepareForStatusUpdate?(next: T, previous: T): T;
  /** All faults at once; empty when the object may be stored. `previous` is undefined on create. */
  validate(next: T, previous: T | undefined): Fault[];
  /** As `validate`, for writes through `/status`. */
  validateStatus?(next: T, previous: T): Fault[];
  /** Sentences for `Warning: 299` headers. */
  warnings?(next: T, previous: T | undefined): string[];
  /** As `warnings`, for writes through `/status`. */
  statusWarnings?(next: T, previous: T): string[];
  readonly columns: readonly Column[];
  /** The cells of `columns`, in order. `nowMs` is for ages. */
  row(object: T, nowMs: number): Cell[];
  /** Field label → value, for `fieldSelector`; these labels and no others are supported. */
  selectableFields(object: T): Record<string, string>;
}
