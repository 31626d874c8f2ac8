import type { Pod } from "../../api/generated/types.ts";

/** What a pod's containers may learn of the node that runs them. */
export interface PodPlace {
  readonly nodeName: string;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['([^']+)'\]$/;

/** The value of `valueFrom.fieldRef.fieldPath`; undefined for a path which the downward API does not have. */
export function fieldValue(pod: Pod, place: PodPlace, path: string): string | undefined {
  const subscript = SUBSCRIPT.exec(path);
  if (subscript !== null) return pod.metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2]!] ?? "";
  switch (path) {
    case "metadata.name":
      return pod.metadata.name ?? "";
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "spec.nodeName":
      return place.nodeName;
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "default";
    case "status.podIP":
      return place.podIPs[0] ?? "";
    case "status.podIPs":
      return place.podIPs.join(",");
    case "status.hostIP":
      return place.hostIPs[0] ?? "";
    case "status.hostIPs":
      return place.hostIPs.join(",");
    default:
      return undefined;
  }
}
