import { forbidden, invalid, required, type Fault } from "../../fault.ts";
import type { Container, Pod, PodSpec } from "../../generated/types.ts";
import { sameJson } from "../../meta/values.ts";

const WORDS =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
  "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

const withImagesOf = (containers: readonly Container[], others: readonly Container[] | undefined): Container[] =>
  containers.map((container, index) => {
    const { image: _, ...kept } = container;
    const image = others?.[index]?.image;
    return image === undefined ? kept : { ...kept, image };
  });

/** The new spec with everything that may change set back to what it was; what then differs may not. */
function withoutAllowedChanges(next: PodSpec, previous: PodSpec): PodSpec {
  const spec: PodSpec = { ...next, containers: withImagesOf(next.containers, previous.containers) };
  if (next.initContainers) spec.initContainers = withImagesOf(next.initContainers, previous.initContainers);
  spec.activeDeadlineSeconds = previous.activeDeadlineSeconds;
  spec.tolerations = previous.tolerations;
  if ((previous.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1) {
    spec.terminationGracePeriodSeconds = previous.terminationGracePeriodSeconds;
  }
  // Upstream gives a pod its node through `pods/binding`; here a plain update may do so, once.
  if (!previous.nodeName) spec.nodeName = previous.nodeName;
  return spec;
}

function validateDeadline(next: PodSpec, previous: PodSpec): Fault[] {
  const was = previous.activeDeadlineSeconds;
  const now = next.activeDeadlineSeconds;
  const field = "spec.activeDeadlineSeconds";
  if (was === undefined) return [];
  if (now === undefined) return [invalid(field, null, "must not update from a positive integer to nil value")];
  return now > was ? [invalid(field, now, "must be less than or equal to previous value")] : [];
}

function validateTolerations(next: PodSpec, previous: PodSpec): Fault[] {
  const kept = (previous.tolerations ?? []).every((was) =>
    // How long to stay may change; what is tolerated may not.
    next.tolerations?.some((now) => sameJson({ ...now, tolerationSeconds: 0 }, { ...was, tolerationSeconds: 0 })),
  );
  return kept
    ? []
    : [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")];
}

/** A pod's program is fixed once it is made; who wants another one makes another pod. */
export function validateChange(next: Pod, previous: Pod): Fault[] {
  if (next.spec === undefined || previous.spec === undefined) return next.spec ? [] : [required("spec")];
  if (next.spec.containers.length !== previous.spec.containers.length) {
    return [forbidden("spec.containers", "pod updates may not add or remove containers")];
  }
  if ((next.spec.initContainers?.length ?? 0) !== (previous.spec.initContainers?.length ?? 0)) {
    return [forbidden("spec.initContainers", "pod updates may not add or remove containers")];
  }
  return [
    ...validateDeadline(next.spec, previous.spec),
    ...validateTolerations(next.spec, previous.spec),
    ...(sameJson(withoutAllowedChanges(next.spec, previous.spec), previous.spec) ? [] : [forbidden("spec", WORDS)]),
  ];
}
