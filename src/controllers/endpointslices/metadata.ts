import type { EndpointSlice, ObjectMeta, Service } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { isHeadless } from "../pods/addresses.ts";

export const SERVICE_NAME = "kubernetes.io/service-name";
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const HEADLESS = "service.kubernetes.io/headless";
const CONTROLLER = "endpointslice-controller.k8s.io";
const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

/** CTL-039, CTL-040. */
export function labelsOf(service: Service): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels };
  delete labels[HEADLESS];
  labels[SERVICE_NAME] = service.metadata.name ?? "";
  labels[MANAGED_BY] = CONTROLLER;
  if (isHeadless(service)) labels[HEADLESS] = "";
  return labels;
}

/** CTL-037, CTL-089: a generated name has five characters after this, and no name is longer than 253 in all. */
export const generateNameOf = ({ metadata: { name = "" } }: KubeObject): string =>
  name.length + 6 > 253 ? name : `${name}-`;

/** CTL-038: the Service owns its slices, so they go when it goes. */
export const ownerOf = (service: Service): NonNullable<ObjectMeta["ownerReferences"]>[number] => ({
  apiVersion: "v1",
  kind: "Service",
  name: service.metadata.name ?? "",
  uid: service.metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});

/** CTL-044: a slice of this controller, whoever owns it. */
export const isOurs = (slice: EndpointSlice): boolean =>
  slice.metadata.labels?.[MANAGED_BY] === CONTROLLER && slice.metadata.labels[SERVICE_NAME] !== undefined;

/** CTL-044: owned by this very Service, not by a namesake before it. */
export const isOwnedBy = (slice: EndpointSlice, service: Service): boolean =>
  slice.metadata.ownerReferences?.some(
    ({ kind, uid, controller }) => kind === "Service" && controller === true && uid === service.metadata.uid,
  ) === true;

/** CTL-043: the annotations with the trigger time set, or taken away when nothing new triggered the write. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  triggerTime: string | undefined,
): Record<string, string> {
  const next: Record<string, string> = { ...annotations };
  if (triggerTime === undefined) delete next[TRIGGER_TIME];
  else next[TRIGGER_TIME] = triggerTime;
  return next;
}
