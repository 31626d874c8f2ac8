import type { ObjectMeta, OwnerReference } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { apiVersionOf } from "../../api/object.ts";

/** The reference to the one controller that manages an object, if it has one. */
export const controllerOf = ({ metadata }: { readonly metadata: ObjectMeta }): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true);

/** The uid of that controller. */
export const controllerUid = (object: { readonly metadata: ObjectMeta }): string | undefined =>
  controllerOf(object)?.uid;

/** What an object that `owner` manages says about it. `resource` is the owner's: objects of a list may lack their kind. */
export const referenceTo = ({ metadata }: KubeObject, resource: Resource): OwnerReference => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  name: metadata.name ?? "",
  uid: metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});

/** The key of the owner of this kind that manages an object. */
export function ownerKeyOf(object: { readonly metadata: ObjectMeta }, resource: Resource): string | undefined {
  const reference = controllerOf(object);
  if (reference?.kind !== resource.kind || reference.apiVersion !== apiVersionOf(resource)) return undefined;
  return `${object.metadata.namespace ?? ""}/${reference.name}`;
}
