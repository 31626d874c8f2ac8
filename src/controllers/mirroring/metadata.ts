import type { Endpoints, EndpointSlice } from "../../api/generated/types.ts";
import { MANAGED_BY, SERVICE_NAME } from "../endpointslices/metadata.ts";

const CONTROLLER = "endpointslicemirroring-controller.k8s.io";
/** CTL-088: what is about the Endpoints object as it was written, and not about endpoints. */
const NOT_COPIED = [
  "endpoints.kubernetes.io/last-change-trigger-time",
  "kubectl.kubernetes.io/last-applied-configuration",
];

/** A slice that this controller made. */
export const isMirrored = ({ metadata }: EndpointSlice): boolean =>
  metadata.labels?.[MANAGED_BY] === CONTROLLER && metadata.labels[SERVICE_NAME] !== undefined;

/** CTL-087. */
export const labelsOf = ({ metadata }: Endpoints): Record<string, string> => ({
  ...metadata.labels,
  [SERVICE_NAME]: metadata.name ?? "",
  [MANAGED_BY]: CONTROLLER,
});

/** CTL-088. */
export function annotationsOf({ metadata }: Endpoints): Record<string, string> {
  const annotations = { ...metadata.annotations };
  for (const name of NOT_COPIED) delete annotations[name];
  return annotations;
}

/** CTL-089: the Endpoints object owns what is made of it. */
export const ownerOf = ({
  metadata,
}: Endpoints): NonNullable<EndpointSlice["metadata"]["ownerReferences"]>[number] => ({
  apiVersion: "v1",
  kind: "Endpoints",
  name: metadata.name ?? "",
  uid: metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});
