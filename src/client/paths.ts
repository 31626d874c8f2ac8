import type { Resource } from "../api/object.ts";

/** The collection of a resource: `/api/v1/namespaces/x/services`, or over all namespaces when none is named. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  return resource.namespaced && namespace !== undefined && namespace !== ""
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`
    : `${root}/${resource.plural}`;
}

/** One object, or a part of it such as `status`. Throws when the namespace or name that the path needs is missing. */
export function objectPath(
  resource: Resource,
  at: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  subresource?: string,
): string {
  if (at.name === undefined || at.name === "") {
    throw new TypeError(`the path of a ${resource.kind} needs metadata.name, which is empty`);
  }
  if (resource.namespaced && (at.namespace === undefined || at.namespace === "")) {
    throw new TypeError(`the path of ${resource.kind} ${at.name} needs metadata.namespace, which is empty`);
  }
  const path = `${collectionPath(resource, at.namespace)}/${encodeURIComponent(at.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `?a=b` of the parameters that have a value. */
export function queryOf(parameters: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}
