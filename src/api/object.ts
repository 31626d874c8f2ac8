import type { ListMeta, ObjectMeta } from "./generated/types.ts";

/** Any object of the Kubernetes API: what all kinds have in common. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** A list as the API answers it; `metadata.resourceVersion` is where a watch continues. */
export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: ListMeta;
  items: T[];
}

/** One line of a watch. A BOOKMARK's object holds only a `resourceVersion`; an ERROR's object is a Status. */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { type: "ADDED" | "MODIFIED" | "DELETED"; object: T }
  | { type: "BOOKMARK"; object: KubeObject }
  | { type: "ERROR"; object: KubeObject };

/** What names a resource in a URL: `/api/v1/namespaces/x/services`, `/apis/GROUP/VERSION/PLURAL`. */
export interface Resource {
  /** `""` is the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** `v1` or `discovery.k8s.io/v1`. */
export const apiVersionOf = (resource: Pick<Resource, "group" | "version">): string =>
  resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;

/** `namespace/name`, or `name` where there is no namespace: the key of caches and work queues. */
export const keyOf = (object: { metadata: { namespace?: string | undefined; name?: string | undefined } }): string =>
  object.metadata.namespace
    ? `${object.metadata.namespace}/${object.metadata.name ?? ""}`
    : (object.metadata.name ?? "");
