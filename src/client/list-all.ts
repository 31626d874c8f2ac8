import { apiVersionOf, type KubeObject, type Resource } from "../api/object.ts";
import { isApiError } from "../api/status.ts";
import type { Client, ListParameters } from "./client.ts";

/** All pages of a list as one, with the version that they are a picture of. */
export interface WholeList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/**
 * Lists page by page; `prune` is called once with each object as soon as its page is here, so that what nobody reads is
 * never there for all of them at once. When the server no longer has the version that the pages are read at (410), the list is
 * read again in one piece, which no compaction can interrupt.
 */
export async function listAll<T extends KubeObject>(
  client: Client,
  resource: Resource,
  parameters: ListParameters & { readonly limit: number },
  signal?: AbortSignal,
  prune?: (object: T) => void,
): Promise<WholeList<T>> {
  const { limit, ...scope } = parameters;
  const taken = (item: T): T => {
    const object = asSaid(resource, item);
    prune?.(object);
    return object;
  };
  const items: T[] = [];
  let next: string | undefined;
  let version: string | undefined;
  do {
    const paging: ListParameters = next === undefined ? { ...scope, limit } : { ...scope, limit, continue: next };
    try {
      const page = await client.list<T>(resource, paging, signal);
      for (const item of page.items) items.push(taken(item));
      version = page.metadata.resourceVersion ?? version;
      next = page.metadata.continue === "" ? undefined : page.metadata.continue;
    } catch (error) {
      if (next === undefined || !isApiError(error, "Expired", "Gone")) throw error;
      const whole = await client.list<T>(resource, scope, signal);
      return {
        items: whole.items.map(taken),
        resourceVersion: versionOf(resource, whole.metadata.resourceVersion),
      };
    }
  } while (next !== undefined);
  return { items, resourceVersion: versionOf(resource, version) };
}

/** The items of a list leave out what the list says for all of them. */
const asSaid = <T extends KubeObject>(resource: Resource, item: T): T =>
  (item as Partial<KubeObject>).kind === undefined
    ? Object.assign({ apiVersion: apiVersionOf(resource), kind: resource.kind }, item)
    : item;

function versionOf(resource: Resource, version: string | undefined): string {
  if (version === undefined || version === "") {
    throw new Error(`the list of ${resource.plural} has no metadata.resourceVersion, so it cannot be watched`);
  }
  return version;
}
