import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Condition, Operation } from "../../store/store.ts";

/** A write as it is about to be stored. `previous` undefined is a create, `next` undefined a removal for good. */
export interface ClaimRequest {
  readonly kind: Kind;
  readonly previous: KubeObject | undefined;
  readonly next: KubeObject | undefined;
  /** Nothing will be stored: claims may answer placeholders (SVC-114). */
  readonly dryRun: boolean;
  /** A condition of an earlier answer did not hold: what it stood on must be read from the store, not from memory. */
  readonly isRetry?: boolean;
}

/** What must be written beside the object, in the same transaction. */
export interface Claimed {
  /** The object with what was allocated filled in; undefined on removal. */
  readonly object: KubeObject | undefined;
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
}

/**
 * Takes and gives back what an object holds for itself alone (cluster IPs, node ports). Called after defaulting and
 * before validation (SVC-107). Only plans: when the transaction fails because another writer took a claim first, the server
 * asks again (a bounded number of times). Throws ApiError for what can never be had.
 */
export interface Claims {
  claim(request: ClaimRequest): Promise<Claimed>;
}
