import type { DaemonSet, Pod, PodSpec, Toleration } from "../../api/generated/types.ts";
import { daemonSets } from "../../api/resources.ts";
import { NOT_READY, UNREACHABLE, UNSCHEDULABLE, withToleration } from "../nodes/taints.ts";
import { podFromTemplate } from "../owned/template.ts";
import { REVISION_LABEL } from "../revisions/revision.ts";

/** What numbered templates before there were revisions; still written by the API server, and still honored. */
const GENERATION_ANNOTATION = "deprecated.daemonset.template.generation";
const GENERATION_LABEL = "pod-template-generation";

/** A node's troubles are no reason for its daemons to leave, nor not to come. */
const TOLERATED: readonly (readonly [key: string, effect: string])[] = [
  [NOT_READY, "NoExecute"],
  [UNREACHABLE, "NoExecute"],
  ["node.kubernetes.io/disk-pressure", "NoSchedule"],
  ["node.kubernetes.io/memory-pressure", "NoSchedule"],
  ["node.kubernetes.io/pid-pressure", "NoSchedule"],
  [UNSCHEDULABLE, "NoSchedule"],
];
const TOLERATED_ON_HOST_NETWORK = ["node.kubernetes.io/network-unavailable", "NoSchedule"] as const;

export function tolerationsOf(spec: PodSpec | undefined): Toleration[] {
  const tolerated = spec?.hostNetwork === true ? [...TOLERATED, TOLERATED_ON_HOST_NETWORK] : TOLERATED;
  return tolerated.reduce<Toleration[]>(
    (held, [key, effect]) => withToleration(held, { key, operator: "Exists", effect }),
    spec?.tolerations ?? [],
  );
}

/** The affinity that lets the scheduler choose this node alone; what else was required of nodes is known to hold there. */
const affinityTo = (node: string, affinity: PodSpec["affinity"]): PodSpec["affinity"] => ({
  ...affinity,
  nodeAffinity: {
    ...affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }],
    },
  },
});

/** CTL-126: the pod for a node, made of the revision with this hash. The scheduler binds it, as it binds every pod. */
export function newPod(set: DaemonSet, node: string, hash: string): Pod {
  const template = set.spec?.template ?? {};
  const pod = podFromTemplate(template, set, daemonSets);
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION];
  const spec = pod.spec ?? { containers: [] };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
        [REVISION_LABEL]: hash,
      },
    },
    spec: { ...spec, tolerations: tolerationsOf(spec), affinity: affinityTo(node, spec.affinity) },
  };
}

/** The node that the pod is on or is meant for; undefined for a pod that says neither. */
export function nodeOf(pod: Pod): string | undefined {
  if ((pod.spec?.nodeName ?? "") !== "") return pod.spec?.nodeName;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const named = terms
    .flatMap(({ matchFields = [] }) => matchFields)
    .find(({ key, operator }) => key === "metadata.name" && operator === "In");
  return named?.values?.length === 1 ? named.values[0] : undefined;
}

/** Whether the pod is made of the set's present template. */
export const isUpdated = (set: DaemonSet, pod: Pod, hash: string): boolean => {
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION];
  return (
    pod.metadata.labels?.[REVISION_LABEL] === hash ||
    (generation !== undefined && pod.metadata.labels?.[GENERATION_LABEL] === generation)
  );
};
