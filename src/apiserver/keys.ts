import type { Resource } from "../api/object.ts";

const groupOf = (resource: Pick<Resource, "group">): string => (resource.group === "" ? "core" : resource.group);

/** Where all objects of a resource lie, or those of one namespace: `/registry/core/services/`, `/registry/core/services/default/`. */
export const prefixOf = (resource: Pick<Resource, "group" | "plural">, namespace?: string): string =>
  `/registry/${groupOf(resource)}/${resource.plural}/${namespace === undefined ? "" : `${namespace}/`}`;

/** Where one object lies. An IPAddress is also the claim on its address: a second Service cannot create the same key. */
export const objectKey = (
  resource: Pick<Resource, "group" | "plural" | "namespaced">,
  at: { readonly namespace?: string | undefined; readonly name: string },
): string => `${prefixOf(resource, resource.namespaced ? (at.namespace ?? "default") : undefined)}${at.name}`;

/** The claim on a node port (and on a health check node port, SVC-148): its value names the Service that holds it. */
export const nodePortKey = (port: number): string => `/claims/nodeports/${port}`;

/** Where every living API server has its lease, by its address. */
export const INSTANCES = "/claims/apiservers/";
export const instanceKey = (ip: string): string => `${INSTANCES}${ip}`;
