import type { EndpointSlice } from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { OwnWrites } from "../../client/own-writes.ts";
import { isNamespaceGoing } from "../namespaces/going.ts";
import type { SliceChanges } from "./decide.ts";

export type SliceOperation = "create" | "update" | "delete";

export interface SliceWriter {
  readonly client: Client;
  readonly slices: OwnWrites<EndpointSlice>;
  readonly namespace: string | undefined;
  /** Told of each write that the server has taken. */
  readonly counts: { wrote(operation: SliceOperation): void };
}

/** Writes the changes. Throws the first failure after all writes have ended; what was written is remembered in `slices`. */
export async function applyChanges(writer: SliceWriter, changes: SliceChanges, signal: AbortSignal): Promise<void> {
  const { client, slices, namespace, counts } = writer;
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
    counts.wrote("delete");
  };
  const update = async (slice: EndpointSlice): Promise<void> => {
    try {
      slices.wrote(await client.update(endpointSlices, slice, undefined, signal));
      counts.wrote("update");
    } catch (error) {
      if (isApiError(error, "NotFound", "Conflict")) slices.forget(slice);
      throw error;
    }
  };
  const create = async (slice: EndpointSlice): Promise<void> => {
    try {
      slices.wrote(await client.create(endpointSlices, slice, undefined, signal));
      counts.wrote("create");
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
