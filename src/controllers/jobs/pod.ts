import type { Container, Job, Pod, PodSpec } from "../../api/generated/types.ts";
import { jobs } from "../../api/resources.ts";
import { podFromTemplate } from "../owned/template.ts";
import { TRACKING } from "./finished.ts";

const INDEX = "batch.kubernetes.io/job-completion-index";
const FAILURES = "batch.kubernetes.io/job-index-failure-count";
const IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count";
/** The longest prefix to which the API server still adds its five letters whole. */
const LONGEST_PREFIX = 58;

export const isIndexed = (job: Job): boolean => job.spec?.completionMode === "Indexed";

/** The completion index of a pod of an Indexed Job; undefined when it says none. */
export function indexOf(pod: Pod): number | undefined {
  const said = pod.metadata.annotations?.[INDEX] ?? "";
  return /^\d{1,10}$/.test(said) ? Number(said) : undefined;
}

/** KEP-3850: how often the index failed before this pod, those failures counted that matter and those that do not. */
export interface IndexFailures {
  readonly counted: number;
  readonly ignored: number;
}

const countIn = (pod: Pod, name: string): number => {
  const said = pod.metadata.annotations?.[name] ?? "";
  return /^\d{1,10}$/.test(said) && Number(said) <= 0x7fffffff ? Number(said) : 0;
};

export const failuresBefore = (pod: Pod): IndexFailures => ({
  counted: countIn(pod, FAILURES),
  ignored: countIn(pod, IGNORED_FAILURES),
});

/** KEP-2214: programs learn their index from the environment, unless they set the variable themselves. */
const withIndexVariable = (container: Container): Container =>
  container.env?.some(({ name }) => name === "JOB_COMPLETION_INDEX") === true
    ? container
    : {
        ...container,
        env: [
          ...(container.env ?? []),
          { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } } },
        ],
      };

const indexedSpec = (spec: PodSpec, hostname: string): PodSpec => ({
  ...spec,
  hostname,
  containers: spec.containers.map(withIndexVariable),
  ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndexVariable) }),
});

/** A pod of the Job, held by the finalizer until it is counted; of an Indexed Job that of `index`. */
export function newPod(job: Job, index?: number, failures?: IndexFailures): Pod {
  const pod = podFromTemplate(job.spec?.template ?? {}, job, jobs);
  const finalizers = [...new Set([...(pod.metadata.finalizers ?? []), TRACKING])];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const name = job.metadata.name ?? "";
  const end = `-${index}-`;
  const annotations = {
    ...pod.metadata.annotations,
    [INDEX]: String(index),
    ...(failures === undefined ? {} : { [FAILURES]: String(failures.counted) }),
    ...(failures === undefined || failures.ignored === 0 ? {} : { [IGNORED_FAILURES]: String(failures.ignored) }),
  };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${name.slice(0, LONGEST_PREFIX - end.length)}${end}`,
      finalizers,
      annotations,
      labels: { ...pod.metadata.labels, [INDEX]: String(index) },
    },
    spec: indexedSpec(pod.spec ?? { containers: [] }, `${name}-${index}`),
  };
}
