import type { Pod } from "../../api/generated/types.ts";

/** What a pod's containers may learn of the node that runs them. */
export interface PodPlace {
  readonly nodeName: string;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  /** Resource name → quantity: what a container may use that sets no limit of its own. */
  readonly allocatable: Readonly<Record<string, string>>;
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['([^']+)'\]$/;

/** Signs with a short escape in Go's quoted strings; other control characters are written by their code. */
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

const quoted = (text: string): string =>
  `"${text.replaceAll(/["\\\p{Cc}]/gu, (sign) => ESCAPES[sign] ?? `\\x${sign.codePointAt(0)!.toString(16).padStart(2, "0")}`)}"`;

/** Labels or annotations as the downward API writes all of them into one file: sorted lines `key="value"`. */
const allOf = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${quoted(map![key]!)}`)
    .join("\n");

/** The value of a field of the pod by its path; undefined for a path which the downward API does not have (DNS-176). */
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
    case "metadata.labels":
      return allOf(pod.metadata.labels);
    case "metadata.annotations":
      return allOf(pod.metadata.annotations);
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
