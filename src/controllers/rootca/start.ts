import type { ConfigMap } from "../../api/generated/types.ts";
import { configMaps } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";

/** The ConfigMap that pods mount to know the API server by. */
const NAME = "kube-root-ca.crt";
const DESCRIPTION = "kubernetes.io/description";
const WORDS =
  "The authority that signed the API server's certificate, for clients within the cluster; it is not meant for anything else.";

const holds = ({ data = {} }: ConfigMap, ca: string): boolean =>
  Object.keys(data).length === 1 && data["ca.crt"] === ca;

/** Keeps the authority's certificate (PEM) in the ConfigMap `kube-root-ca.crt` of every namespace. */
export async function startRootCa(environment: ControllerEnvironment, ca: string): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "rootca" });
  const { namespaces, configMaps: maps } = caches;
  await Promise.all([namespaces.synced(), maps.synced()]);

  const work = async (namespace: string, signal: AbortSignal): Promise<void> => {
    const found = namespaces.get(namespace);
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) return;
    const current = maps.get(`${namespace}/${NAME}`);
    const annotations = current?.metadata.annotations;
    if (current !== undefined && holds(current, ca) && annotations?.[DESCRIPTION] !== undefined) return;
    const map: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      ...current,
      metadata: {
        ...current?.metadata,
        namespace,
        name: NAME,
        annotations: { ...annotations, [DESCRIPTION]: WORDS },
      },
      data: { "ca.crt": ca },
    };
    try {
      await (current === undefined
        ? client.create(configMaps, map, undefined, signal)
        : client.update(configMaps, map, undefined, signal));
    } catch (error) {
      // The cache is behind and will tell more, or the namespace is going.
      if (!isApiError(error, "AlreadyExists", "Conflict", "Forbidden", "NotFound")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });
  for (const namespace of namespaces.values()) queue.add(namespace.metadata.name ?? "");
  const stops = [
    namespaces.onChange((change) => {
      if (change.type === "added") queue.add(change.object.metadata.name ?? "");
    }),
    maps.onChange((change) => {
      const { name, namespace = "" } = (change.type === "removed" ? change.previous : change.object).metadata;
      if (name === NAME) queue.add(namespace);
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
    },
  };
}
