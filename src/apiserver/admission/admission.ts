import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Condition, Operation } from "../../store/store.ts";
import type { Context } from "../context.ts";
import type { Identity } from "../identity/identity.ts";

/** A write that a client asks for, as those see it who may change or refuse it. */
export interface AdmissionRequest {
  readonly identity: Identity;
  readonly operation: "create" | "update" | "delete";
  readonly kind: Kind;
  /** `status` for a write through `/status`, `eviction` for a pod's deletion by that; undefined for the object itself. */
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
  /** What shall be; undefined on delete. */
  readonly next: KubeObject | undefined;
  /** What is; undefined on create. */
  readonly previous: KubeObject | undefined;
  readonly dryRun: boolean;
  /** A condition given before did not hold: what it stands on must be read from the store, not from memory. */
  readonly isRetry: boolean;
  warn(sentence: string): void;
}

/** What must be true, and what must be written, in the transaction that stores the object. */
export interface Beside {
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
}

/**
 * A rule over writes that needs more than the object itself (Kubernetes: admission plug-ins). Only plans: when the transaction fails because
 * a condition did not hold, it is asked again.
 */
export interface Admission {
  readonly name: string;
  /** Changes the object before anything is allocated for it. */
  mutate?(
    request: AdmissionRequest & { readonly next: KubeObject },
    context: Context,
  ): KubeObject | Promise<KubeObject>;
  /** Judges what is about to be stored, or that something is to be deleted. @throws ApiError Forbidden */
  admit?(request: AdmissionRequest, context: Context): Beside | Promise<Beside>;
  /** What goes along when an object goes for good, whoever deleted it and whenever. `isRetry` as in {@link AdmissionRequest}. */
  released?(kind: Kind, object: KubeObject, context: Context, isRetry: boolean): Beside | Promise<Beside>;
}

export const NOTHING_BESIDE: Beside = { conditions: [], operations: [] };

export const join = (parts: readonly Beside[]): Beside => ({
  conditions: parts.flatMap(({ conditions }) => conditions),
  operations: parts.flatMap(({ operations }) => operations),
});

/** The object as all admissions together want it. */
export async function mutated(context: Context, request: AdmissionRequest & { next: KubeObject }): Promise<KubeObject> {
  let { next } = request;
  for (const admission of context.admissions) {
    if (admission.mutate !== undefined) next = await admission.mutate({ ...request, next }, context);
  }
  return next;
}

/** What all admissions together add to a write that none of them refuses. @throws ApiError */
export async function admitted(context: Context, request: AdmissionRequest): Promise<Beside> {
  const parts: Beside[] = [];
  for (const admission of context.admissions) {
    const part = await admission.admit?.(request, context);
    if (part !== undefined) parts.push(part);
  }
  return join(parts);
}

/** What goes along with an object that goes for good. */
export async function released(context: Context, kind: Kind, object: KubeObject, isRetry: boolean): Promise<Beside> {
  const parts: Beside[] = [];
  for (const admission of context.admissions) {
    const part = await admission.released?.(kind, object, context, isRetry);
    if (part !== undefined) parts.push(part);
  }
  return join(parts);
}
