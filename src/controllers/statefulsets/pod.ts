import type { Pod, PodTemplateSpec, StatefulSet, Volume } from "../../api/generated/types.ts";
import { statefulSets } from "../../api/resources.ts";
import { podFromTemplate } from "../owned/template.ts";
import { REVISION_LABEL } from "../revisions/revision.ts";
import { claimNameOf } from "./claims.ts";
import { ordinalOf, podNameOf } from "./ordinals.ts";

const POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";

/** A set's template by one of its revisions. */
export interface Revision {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

/** The pod's volumes with the set's claims among them, which take the place of template volumes of the same name. */
function volumesOf(set: StatefulSet, ordinal: number, volumes: readonly Volume[]): Volume[] {
  const claims = (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }): Volume => {
    const name = metadata.name ?? "";
    return { name, persistentVolumeClaim: { claimName: claimNameOf(set, name, ordinal) } };
  });
  return [...claims, ...volumes.filter(({ name }) => !claims.some((claim) => claim.name === name))];
}

const identityLabels = (name: string, ordinal: number): Record<string, string> => ({
  [POD_NAME_LABEL]: name,
  [POD_INDEX_LABEL]: String(ordinal),
});

/** CTL-125: the pod of an ordinal: named, hostname and subdomain by which it is found in DNS, and its claims. */
export function newPod(set: StatefulSet, { name: revision, template }: Revision, ordinal: number): Pod {
  const name = podNameOf(set, ordinal);
  const pod = podFromTemplate(template, set, statefulSets);
  const spec = pod.spec ?? { containers: [] };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name,
      labels: { ...pod.metadata.labels, ...identityLabels(name, ordinal), [REVISION_LABEL]: revision },
    },
    spec: {
      ...spec,
      hostname: name,
      subdomain: set.spec?.serviceName ?? "",
      volumes: volumesOf(set, ordinal, spec.volumes ?? []),
    },
  };
}

/** Whether the pod still says which one it is. */
export const isIdentified = (pod: Pod): boolean => pod.metadata.labels?.[POD_NAME_LABEL] === pod.metadata.name;

/** The pod with what says which one it is put back. */
export const identified = (pod: Pod): Pod => ({
  ...pod,
  metadata: {
    ...pod.metadata,
    labels: { ...pod.metadata.labels, ...identityLabels(pod.metadata.name ?? "", ordinalOf(pod)?.ordinal ?? 0) },
  },
});

/** The name of the revision that the pod was made of. */
export const revisionOf = (pod: Pod): string => pod.metadata.labels?.[REVISION_LABEL] ?? "";
