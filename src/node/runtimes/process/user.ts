import type { Container, Pod } from "../../../api/generated/types.ts";

/** Whom a container runs as when nothing says otherwise: `nobody` (Debian, kernel overflow uid). */
export const NOBODY = 65_534;

const isPrivileged = (container: Container): boolean => container.securityContext?.privileged === true;

/** A privileged container is root's unless it says otherwise, as with most images. */
export const userOf = (pod: Pod, container: Container): number =>
  container.securityContext?.runAsUser ??
  pod.spec?.securityContext?.runAsUser ??
  (isPrivileged(container) ? 0 : NOBODY);

export const groupOf = (pod: Pod, container: Container): number =>
  container.securityContext?.runAsGroup ??
  pod.spec?.securityContext?.runAsGroup ??
  (userOf(pod, container) === 0 ? 0 : NOBODY);

/** Further groups of every container of the pod. */
export function groupsOf(pod: Pod): number[] {
  const { supplementalGroups = [], fsGroup } = pod.spec?.securityContext ?? {};
  return [...new Set([...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])])];
}

/** The one user of all containers of the pod; undefined where they differ. */
export function soleUser(pod: Pod): number | undefined {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const users = new Set(all.map((container) => userOf(pod, container)));
  return users.size === 1 ? [...users][0] : undefined;
}
