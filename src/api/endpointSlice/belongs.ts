import type { EndpointSlice, Service } from "../generated/types.ts";

/**
 * Whether a slice that bears a Service's name is this Service's. One with an owner of another uid was left by an
 * earlier Service of the same name and says nothing about this one; one without an owner was written by hand.
 */
export function belongsTo(slice: EndpointSlice, service: Service): boolean {
  const owner = slice.metadata.ownerReferences?.find(({ kind }) => kind === "Service");
  return owner === undefined || service.metadata.uid === undefined || owner.uid === service.metadata.uid;
}
