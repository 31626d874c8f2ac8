import type { Namespace, ServiceAccount } from "../../api/generated/types.ts";
import type { Resource } from "../../api/object.ts";
import { namespaces as namespaceResource, serviceAccounts } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { objectPath } from "../../client/paths.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { emptyNamespace } from "./empty.ts";

/** The finalizer in `spec` that stands for: the namespace's content has been deleted. */
const FINALIZER = "kubernetes";
/** Milliseconds between two looks at a namespace whose content has not gone yet. */
const LOOK_AGAIN = 100;

/** Gives each namespace its ServiceAccount `default`, and empties those that are being deleted. */
export async function startNamespaces(environment: ControllerEnvironment, served: readonly Resource[]): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "namespaces" });
  const { namespaces, serviceAccounts: accounts } = caches;
  await Promise.all([namespaces.synced(), accounts.synced()]);
  const namespaced = served.filter((resource) => resource.namespaced);

  const finalize = async (namespace: Namespace, signal: AbortSignal): Promise<void> => {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((name) => name !== FINALIZER);
    const path = objectPath(namespaceResource, namespace.metadata, "finalize");
    try {
      await client.raw("PUT", path, { ...namespace, spec: { ...namespace.spec, finalizers } }, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  };
  const work = async (name: string, signal: AbortSignal): Promise<void> => {
    const namespace = namespaces.get(name);
    if (namespace === undefined) return;
    if (namespace.metadata.deletionTimestamp !== undefined) {
      if (namespace.spec?.finalizers?.includes(FINALIZER) !== true) return;
      // The content is gone when a look finds nothing; the server refuses new objects in the meantime.
      if ((await emptyNamespace(client, name, namespaced, signal)) > 0) queue.addAfter(name, LOOK_AGAIN);
      else await finalize(namespace, signal);
      return;
    }
    if (accounts.get(`${name}/default`) !== undefined) return;
    const account: ServiceAccount = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { namespace: name, name: "default" },
    };
    try {
      await client.create(serviceAccounts, account, undefined, signal);
    } catch (error) {
      // There already, or the namespace is going or gone: either way nothing is left to do until the cache tells more.
      if (!isApiError(error, "AlreadyExists", "Forbidden", "NotFound")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });
  for (const namespace of namespaces.values()) queue.add(namespace.metadata.name ?? "");
  const stops = [
    namespaces.onChange((change) => {
      if (change.type !== "removed") queue.add(change.object.metadata.name ?? "");
    }),
    accounts.onChange((change) => {
      const { name, namespace = "" } = change.type === "removed" ? change.previous.metadata : {};
      if (name === "default") queue.add(namespace);
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
    },
  };
}
