import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/resources.ts";
import { ApiError, isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { OwnWrites } from "../../client/own-writes.ts";
import type { SliceChanges } from "./decide.ts";

/** CTL-050: the namespace is going, and takes the Service with it. */
const isNamespaceGoing = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true ||
    (error.reason === "NotFound" && error.details?.kind === "namespaces"));

/** Writes the changes. Throws the first failure after all writes have ended; what was written is remembered in `slices`. */
export async function applyChanges(
  client: Client,
  slices: OwnWrites<EndpointSlice>,
  service: Service,
  changes: SliceChanges,
  signal: AbortSignal,
): Promise<void> {
  const namespace = service.metadata.namespace;
  const remove = async (slice: EndpointSlice): Promise<void> => {
    const uid = slice.metadata.uid;
    try {
      await client.delete(
        endpointSlices,
        { namespace, name: slice.metadata.name ?? "" },
        uid === undefined ? {} : { preconditions: { uid } },
        signal,
      );
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
    slices.deleted(slice);
  };
  const update = async (slice: EndpointSlice): Promise<void> => {
    try {
      slices.wrote(await client.update(endpointSlices, slice, undefined, signal));
    } catch (error) {
      if (isApiError(error, "NotFound", "Conflict")) slices.forget(slice);
      throw error;
    }
  };
  const create = async (slice: EndpointSlice): Promise<void> => {
    try {
      slices.wrote(await client.create(endpointSlices, slice, undefined, signal));
    } catch (error) {
      if (!isNamespaceGoing(error)) throw error;
    }
  };
  await all(changes.stale.map(remove));
  await all([...changes.update.map(update), ...changes.create.map(create)]);
  await all(changes.delete.map(remove));
}

async function all(writes: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(writes)) if (result.status === "rejected") throw result.reason;
}
