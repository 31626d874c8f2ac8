import type { Pod } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { withoutServerFields } from "../meta/carry.ts";
import { namespacedFields } from "../meta/fields.ts";
import { keepSpec, keepStatus } from "../meta/subresource.ts";
import { sameJson } from "../meta/values.ts";
import { pods } from "../resources.ts";
import { columns, row } from "./columns.ts";
import { defaults } from "./defaults.ts";
import { graceSeconds } from "./graceSeconds.ts";
import { qosClass } from "./qosClass.ts";
import { validate, validateStatus } from "./validate.ts";

function prepareForCreate(object: Pod): Pod {
  const pod = withoutServerFields(object);
  return {
    ...pod,
    metadata: { ...pod.metadata, generation: 1 },
    status: { phase: "Pending", qosClass: qosClass(pod.spec ?? { containers: [] }) },
  };
}

/** The generation counts what was asked for: it moves with the spec alone. */
function prepareForUpdate(next: Pod, previous: Pod): Pod {
  const pod = keepStatus(next, previous);
  if (sameJson(pod.spec, previous.spec)) return pod;
  return { ...pod, metadata: { ...pod.metadata, generation: (previous.metadata.generation ?? 0) + 1 } };
}

function prepareForStatusUpdate(next: Pod, previous: Pod): Pod {
  const pod = keepSpec(next, previous);
  const qos = previous.status?.qosClass;
  return qos === undefined ? pod : { ...pod, status: { ...pod.status, qosClass: qos } };
}

export const pod: Kind<Pod> = {
  ...pods,
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  type: "Pod",
  subresources: ["status"],
  deleteAnswers: "object",
  createOnUpdate: false,
  graceSeconds,
  defaults,
  prepareForCreate,
  prepareForUpdate,
  prepareForStatusUpdate,
  validate,
  validateStatus,
  columns,
  row,
  selectableFields: (object) => ({
    ...namespacedFields(object),
    "spec.nodeName": object.spec?.nodeName ?? "",
    "spec.restartPolicy": object.spec?.restartPolicy ?? "",
    "spec.schedulerName": object.spec?.schedulerName ?? "",
    "spec.serviceAccountName": object.spec?.serviceAccountName ?? "",
    "spec.hostNetwork": String(object.spec?.hostNetwork === true),
    "status.phase": object.status?.phase ?? "",
    "status.podIP": object.status?.podIP ?? "",
    // Known as a label, and empty for every pod: that is what clients of upstream get.
    "status.podIPs": "",
    "status.nominatedNodeName": object.status?.nominatedNodeName ?? "",
  }),
};
