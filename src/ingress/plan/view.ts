import type { ConfigMap, EndpointSlice, Ingress, IngressClass, Secret, Service } from "../../api/generated/types.ts";

/** What is looked up of the cluster, as the caches have it now. Keys are `namespace/name`. */
export interface ClusterView {
  ingresses(): Iterable<Ingress>;
  classes(): Iterable<IngressClass>;
  service(key: string): Service | undefined;
  /** Slices of a Service, by its key. */
  slices(service: string): readonly EndpointSlice[];
  secret(key: string): Secret | undefined;
  configMap(key: string): ConfigMap | undefined;
}

/** Something in an Ingress that cannot be done as it says; told as an event on it. */
export interface IngressFault {
  /** `spec.rules[0].http.paths[1].backend.service.name`, `metadata.annotations[nginx.ingress.kubernetes.io/…]`. */
  readonly field: string;
  /** As of an event: `BackendNotFound`, `PathConflict`, `AnnotationRefused`, … */
  readonly reason: string;
  /** A sentence that says what is there, what should be, and what is done now. */
  readonly message: string;
}
