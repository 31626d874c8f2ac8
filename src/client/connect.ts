import type { KubeList, KubeObject } from "../api/object.ts";
import type { Client, PatchType, WriteParameters } from "./client.ts";
import type { Connection } from "./connection.ts";
import { collectionPath, objectPath, queryOf } from "./paths.ts";
import { createTransport } from "./transport.ts";
import { watchEvents } from "./watch.ts";

const PATCH_TYPES: Record<PatchType, string> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

const writeQuery = (parameters: WriteParameters | undefined): string =>
  queryOf({
    dryRun: parameters?.dryRun === true ? "All" : undefined,
    fieldManager: parameters?.fieldManager,
    fieldValidation: parameters?.fieldValidation,
  });

/** A client of the API server at `connection`, over HTTP/1.1 with kept connections. Opens nothing until it is used. */
export function createClient(connection: Connection): Client {
  const transport = createTransport(connection);
  return {
    async get<T extends KubeObject>(...[resource, at, signal]: Parameters<Client["get"]>) {
      return (await transport.json({ method: "GET", path: objectPath(resource, at), signal })) as T;
    },
    async list<T extends KubeObject>(...[resource, parameters = {}, signal]: Parameters<Client["list"]>) {
      const { namespace, ...rest } = parameters;
      const path = collectionPath(resource, namespace) + queryOf({ ...rest });
      const list = (await transport.json({ method: "GET", path, signal })) as KubeList<T> | undefined;
      if (typeof list !== "object" || list === null || typeof list.metadata !== "object") {
        throw new Error(`GET ${path}: the answer is no list: it has no metadata`);
      }
      // Go servers write an empty list as null.
      return Array.isArray(list.items) ? list : { ...list, items: [] };
    },
    watch: (resource, parameters, signal, opened) =>
      watchEvents(transport, connection, resource, parameters, signal, opened),
    get heardAt() {
      return transport.heardAt;
    },
    async create(resource, object, parameters, signal) {
      const path = collectionPath(resource, object.metadata.namespace) + writeQuery(parameters);
      return (await transport.json({ method: "POST", path, body: object, signal })) as typeof object;
    },
    async update(resource, object, parameters, signal) {
      const path = objectPath(resource, object.metadata) + writeQuery(parameters);
      return (await transport.json({ method: "PUT", path, body: object, signal })) as typeof object;
    },
    async updateStatus(resource, object, signal) {
      const path = objectPath(resource, object.metadata, "status");
      return (await transport.json({ method: "PUT", path, body: object, signal })) as typeof object;
    },
    async patch<T extends KubeObject>(...[resource, at, type, patch, options, signal]: Parameters<Client["patch"]>) {
      const path = objectPath(resource, at, options?.subresource) + writeQuery(options);
      return (await transport.json({
        method: "PATCH",
        path,
        body: patch,
        contentType: PATCH_TYPES[type],
        signal,
      })) as T;
    },
    async delete(resource, at, parameters, signal) {
      const body = parameters === undefined ? undefined : { apiVersion: "v1", kind: "DeleteOptions", ...parameters };
      await transport.json({ method: "DELETE", path: objectPath(resource, at), body, signal });
    },
    raw: (method, path, body, signal) => transport.json({ method, path, body, signal }),
    close: () => transport.close(),
  };
}
