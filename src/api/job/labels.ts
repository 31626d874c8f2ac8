import type { Job } from "../generated/types.ts";
import { sameJson } from "../meta/values.ts";

/** Which Job a pod is of: its name, and its uid. */
export const JOB_NAME = "batch.kubernetes.io/job-name";
export const CONTROLLER_UID = "batch.kubernetes.io/controller-uid";
/** What these were called before Kubernetes 1.27; both are written still. */
export const OLD_JOB_NAME = "job-name";
export const OLD_CONTROLLER_UID = "controller-uid";

/** The selector that no other Job has, and the labels in the template that it goes by, unless the writer makes sure of that alone. */
export function withSelector(object: Job): Job {
  const { metadata, spec } = object;
  if (spec === undefined || spec.manualSelector === true) return object;
  const { name = "", uid = "" } = metadata;
  const { template, selector } = spec;
  const labels = {
    [OLD_JOB_NAME]: name,
    [JOB_NAME]: name,
    [OLD_CONTROLLER_UID]: uid,
    [CONTROLLER_UID]: uid,
    ...template.metadata?.labels,
  };
  // A Job that has no labels of its own has those of its template, these among them.
  const own = metadata.labels ?? {};
  const isShared = Object.keys(own).length === 0 || sameJson(own, template.metadata?.labels ?? {});
  return {
    ...object,
    metadata: isShared ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      selector: {
        ...selector,
        matchLabels: { ...selector?.matchLabels, [CONTROLLER_UID]: selector?.matchLabels?.[CONTROLLER_UID] ?? uid },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
