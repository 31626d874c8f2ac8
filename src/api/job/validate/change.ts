import { forbidden, invalid, type Fault } from "../../fault.ts";
import type { Affinity, Container, Job, JobSpec, PodSpec, PodTemplateSpec } from "../../generated/types.ts";
import { sameJson } from "../../meta/values.ts";
import { immutable } from "../../template/immutable.ts";

const isTrue = ({ status }: Job, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

/** A Job that stands still, with no pods: what its pods are to be may still be said. */
const mayBeTuned = (job: Job): boolean =>
  job.spec?.suspend === true &&
  (job.status?.startTime === undefined || isTrue(job, "Suspended")) &&
  (job.status?.active ?? 0) === 0;

/** The old affinity with the nodes of the new one; undefined where nothing is left of it. */
function withNodesOf(next: Affinity | undefined, previous: Affinity | undefined): Affinity | undefined {
  const { nodeAffinity: _, ...rest } = previous ?? {};
  if (next === undefined) return Object.keys(rest).length === 0 ? undefined : rest;
  return next.nodeAffinity === undefined ? rest : { ...rest, nodeAffinity: next.nodeAffinity };
}

/** The old template with what may be said anew taken from the new one: where pods may run, and what they carry. */
function withPlacementOf(next: PodTemplateSpec, previous: PodTemplateSpec): PodTemplateSpec {
  return {
    ...previous,
    metadata: {
      ...previous.metadata,
      labels: next.metadata?.labels,
      annotations: next.metadata?.annotations,
    },
    spec: {
      ...previous.spec!,
      affinity: withNodesOf(next.spec?.affinity, previous.spec?.affinity),
      nodeSelector: next.spec?.nodeSelector,
      tolerations: next.spec?.tolerations,
      schedulingGates: next.spec?.schedulingGates,
    },
  };
}

const withResourcesOf = (next: readonly Container[] = [], previous: readonly Container[] = []): Container[] =>
  next.length === previous.length
    ? previous.map((was, index) =>
        was.name === next[index]!.name ? { ...was, resources: next[index]!.resources } : was,
      )
    : [...previous];

function withSizesOf(next: PodSpec, previous: PodSpec): PodSpec {
  const init = withResourcesOf(next.initContainers, previous.initContainers);
  return {
    ...previous,
    containers: withResourcesOf(next.containers, previous.containers),
    ...(previous.initContainers === undefined ? {} : { initContainers: init }),
  };
}

function validateTemplateChange(next: JobSpec, previous: Job): Fault[] {
  const was = previous.spec!;
  const isTunable = mayBeTuned(previous);
  const template = isTunable ? withPlacementOf(next.template, was.template) : was.template;
  if (was.suspend !== true || !isTunable) return immutable("spec.template", next.template, template);
  return immutable("spec.template.spec", next.template.spec, withSizesOf(next.template.spec!, template.spec!));
}

/** An indexed Job may be made larger or smaller, as long as it runs all its pods at once. */
function validateCompletions(next: JobSpec, previous: JobSpec): Fault[] {
  const field = "spec.completions";
  if (next.completionMode !== "Indexed") return immutable(field, next.completions, previous.completions);
  const isSame = next.completions === previous.completions || next.completions === undefined;
  if (isSame || next.completions === next.parallelism) return [];
  return [invalid(field, next.completions, "can only be modified in tandem with spec.parallelism")];
}

const FIXED = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const;

/** What a Job has begun it ends: of its work only how, and whether, it goes on may change. */
export function validateChange(next: Job, previous: Job): Fault[] {
  if (next.spec === undefined || previous.spec === undefined) {
    return sameJson(next.spec, previous.spec) ? [] : [forbidden("spec", "may not be left out")];
  }
  const [spec, was] = [next.spec, previous.spec];
  return [
    ...validateCompletions(spec, was),
    ...immutable("spec.selector", spec.selector, was.selector),
    ...validateTemplateChange(spec, previous),
    ...FIXED.flatMap((field) => immutable(`spec.${field}`, spec[field], was[field])),
  ];
}
