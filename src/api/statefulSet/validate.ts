import { forbidden, invalid, notSupported, required, type Fault } from "../fault.ts";
import type { PodTemplateSpec, StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from "../generated/types.ts";
import { checked, nonNegative } from "../meta/check.ts";
import { intOrPercentValue, notMoreThan100Percent, validateIntOrPercent } from "../meta/intOrPercent.ts";
import { checkLabel } from "../meta/names.ts";
import { validateAnnotations, validateLabels, validateObjectMeta } from "../meta/objectMeta.ts";
import { sameJson } from "../meta/values.ts";
import { validateClaimSpec } from "../persistentVolumeClaim/validate.ts";
import { validateSelector } from "../selector/validateSelector.ts";
import { validateCollisions, validateCounts, validateShares } from "../template/status.ts";
import { validateLasting, validateMatch, validateOwnSelector, validateTemplate } from "../template/validate.ts";

/** Its name is part of its pods' host names. */
const META = { namespaced: true, checkName: checkLabel };
const FORBIDDEN =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function validateStrategy({ type, rollingUpdate }: StatefulSetUpdateStrategy): Fault[] {
  const field = "spec.updateStrategy";
  // Upstream shows what it has read.
  if (type !== "RollingUpdate" && type !== "OnDelete") {
    const shown = { Type: type ?? "", RollingUpdate: rollingUpdate ?? null };
    return [invalid(field, shown, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  if (rollingUpdate === undefined) return [];
  if (type === "OnDelete") {
    const shown = { Partition: rollingUpdate.partition ?? 0, MaxUnavailable: rollingUpdate.maxUnavailable ?? null };
    return [invalid(`${field}.rollingUpdate`, shown, "only allowed for updateStrategy 'RollingUpdate'")];
  }
  const { partition, maxUnavailable } = rollingUpdate;
  const at = `${field}.rollingUpdate.maxUnavailable`;
  return [
    ...nonNegative(`${field}.rollingUpdate.partition`, partition),
    ...validateIntOrPercent(at, maxUnavailable),
    ...(maxUnavailable !== undefined && intOrPercentValue(maxUnavailable) === 0
      ? [invalid(at, maxUnavailable, "cannot be 0")]
      : []),
    ...notMoreThan100Percent(at, maxUnavailable),
  ];
}

function validateRetention({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): Fault[] {
  return (["whenDeleted", "whenScaled"] as const).flatMap((field) => {
    const word = policy?.[field] ?? "";
    return word === "Retain" || word === "Delete"
      ? []
      : [notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, word, ["Retain", "Delete"])];
  });
}

/** The template as its pods will have it: names of their own, and a volume for each claim. */
function asInPods({ template, volumeClaimTemplates: claims = [] }: StatefulSetSpec): PodTemplateSpec {
  const { spec } = template;
  if (spec === undefined) return template;
  const names = new Set(claims.map(({ metadata }) => metadata.name));
  const volumes = [
    ...claims.map(({ metadata: { name = "" } }) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...(spec.volumes ?? []).filter(({ name }) => !names.has(name)),
  ];
  const { hostname: _h, subdomain: _s, ...kept } = spec;
  return { ...template, spec: { ...kept, ...(volumes.length === 0 ? {} : { volumes }) } };
}

function validatePods(spec: StatefulSetSpec): Fault[] {
  const field = "spec.template";
  if (validateSelector(spec.selector, "").length > 0) return [invalid("spec.selector", spec.selector, "")];
  const { metadata } = spec.template;
  return [
    ...validateMatch(spec.selector, spec.template, field),
    ...validateTemplate(asInPods(spec), field),
    // Upstream looks at these twice.
    ...validateLabels(metadata?.labels, `${field}.labels`),
    ...validateAnnotations(metadata?.annotations, `${field}.annotations`),
  ];
}

function validateSpec(spec: StatefulSetSpec, isUpdate: boolean): Fault[] {
  const { podManagementPolicy: policy = "", updateStrategy = {}, template, serviceName } = spec;
  return [
    ...(policy === "" ? [required("spec.podManagementPolicy")] : []),
    ...(["", "OrderedReady", "Parallel"].includes(policy)
      ? []
      : [invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")]),
    ...validateStrategy(updateStrategy),
    ...validateRetention(spec),
    ...(isUpdate
      ? []
      : (spec.volumeClaimTemplates ?? []).flatMap((claim, index) =>
          validateClaimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${index}].spec`),
        )),
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonNegative("spec.ordinals.start", spec.ordinals?.start),
    ...(isUpdate || !serviceName ? [] : checked(checkLabel, "spec.serviceName", serviceName)),
    ...validateOwnSelector(spec.selector, "statefulset"),
    ...validatePods(spec),
    ...validateLasting(template, "spec.template", "StatefulSet"),
  ];
}

/** The spec with all that may change set back to what it was. */
const fixedOf = (next: StatefulSetSpec, previous: StatefulSetSpec): StatefulSetSpec => ({
  ...next,
  replicas: previous.replicas,
  template: previous.template,
  updateStrategy: previous.updateStrategy,
  minReadySeconds: previous.minReadySeconds,
  ordinals: previous.ordinals,
  revisionHistoryLimit: previous.revisionHistoryLimit,
  persistentVolumeClaimRetentionPolicy: previous.persistentVolumeClaimRetentionPolicy,
});

export const validate = (next: StatefulSet, previous: StatefulSet | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, META),
  ...validateSpec(next.spec!, previous !== undefined),
  ...(previous?.spec === undefined || sameJson(fixedOf(next.spec!, previous.spec), previous.spec)
    ? []
    : [forbidden("spec", FORBIDDEN)]),
];

export const validateStatus = (next: StatefulSet, previous: StatefulSet): Fault[] => [
  ...validateCounts(next.status, [
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
  ]),
  ...validateShares(
    next.status,
    ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
    "status.readyReplicas",
  ),
  ...validateObjectMeta(next.metadata, previous.metadata, META),
  ...validateCollisions(next.status?.collisionCount, previous.status?.collisionCount),
];
