import type { KubeObject, Resource } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { listAll } from "../../client/list-all.ts";

/** Deletions under way at the same time. */
const AT_ONCE = 16;

/** Asks for the deletion of all that is in the namespace. Answers how many objects are still there, e.g. pods that end well first. */
export async function emptyNamespace(
  client: Client,
  namespace: string,
  resources: readonly Resource[],
  signal: AbortSignal,
): Promise<number> {
  const found: { resource: Resource; object: KubeObject }[] = [];
  for (const resource of resources) {
    const { items } = await listAll<KubeObject>(client, resource, { namespace, limit: 500 }, signal);
    for (const object of items) found.push({ resource, object });
  }
  const asked = found.filter(({ object }) => object.metadata.deletionTimestamp === undefined);
  let next = 0;
  const take = async (): Promise<void> => {
    for (let item = asked[next++]; item !== undefined; item = asked[next++]) {
      const at = { namespace, name: item.object.metadata.name ?? "" };
      try {
        await client.delete(item.resource, at, { propagationPolicy: "Background" }, signal);
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  return found.length;
}
