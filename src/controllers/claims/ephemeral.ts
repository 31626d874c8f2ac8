import type { PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/resources.ts";
import { controllerUid, referenceTo } from "../owned/reference.ts";
import { isFinished, isTerminating } from "../pods/ready.ts";

/** The claims that the pod's `ephemeral` volumes are made of: the pod's own, which go when it goes (KEP-1698). */
export function ephemeralClaimsOf(pod: Pod): PersistentVolumeClaim[] {
  if (isTerminating(pod) || isFinished(pod)) return [];
  return (pod.spec?.volumes ?? []).flatMap(({ name, ephemeral }): PersistentVolumeClaim[] => {
    const template = ephemeral?.volumeClaimTemplate;
    if (template === undefined) return [];
    const { labels, annotations } = template.metadata ?? {};
    return [
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: {
          namespace: pod.metadata.namespace,
          name: `${pod.metadata.name ?? ""}-${name}`,
          ...(labels === undefined ? {} : { labels }),
          ...(annotations === undefined ? {} : { annotations }),
          ownerReferences: [referenceTo(pod, pods)],
        },
        spec: template.spec,
      },
    ];
  });
}

/** Whether a claim of that name is the pod's own, and not somebody else's that happens to be called so. */
export const isOwn = (claim: PersistentVolumeClaim, pod: Pod): boolean => controllerUid(claim) === pod.metadata.uid;
