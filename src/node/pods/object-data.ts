import type { ConfigMap, Secret } from "../../api/generated/types.ts";
import { configMaps, secrets } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { Lookups } from "../environment/lookups.ts";

const decoded = (data: Readonly<Record<string, string>> | undefined, encoding: BufferEncoding): [string, Buffer][] =>
  Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]);

const orMissing = (error: unknown): undefined => {
  if (isApiError(error, "NotFound")) return undefined;
  throw error;
};

/** Reads ConfigMaps and Secrets when a container starts: what it sees is what is stored then. */
export const objectData =
  (client: Client) =>
  (namespace: string): Lookups => ({
    async configMap(name) {
      const object = await client.get<ConfigMap>(configMaps, { namespace, name }).catch(orMissing);
      if (object === undefined) return undefined;
      return Object.fromEntries([...decoded(object.data, "utf8"), ...decoded(object.binaryData, "base64")]);
    },
    async secret(name) {
      const object = await client.get<Secret>(secrets, { namespace, name }).catch(orMissing);
      return object === undefined ? undefined : Object.fromEntries(decoded(object.data, "base64"));
    },
  });
