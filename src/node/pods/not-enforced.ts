import type { Pod } from "../../api/generated/types.ts";

/** What a pod says of its resources that no node of ours holds it to, a sentence each. */
export function notEnforced(pod: Pod): string[] {
  const sentences: string[] = [];
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    if (emptyDir?.sizeLimit === undefined || emptyDir.sizeLimit === "0") continue;
    const instead =
      emptyDir.medium === "Memory" ? "the memory limit of whoever writes to it counts" : "the disk's room is the limit";
    sentences.push(`volume ${name}: its sizeLimit of ${emptyDir.sizeLimit} is not enforced; ${instead}`);
  }
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    for (const resource of Object.keys(container.resources?.limits ?? {})) {
      if (resource === "cpu" || resource === "memory") continue;
      sentences.push(
        `container ${container.name}: its limit of ${container.resources!.limits![resource]} ${resource} is not enforced`,
      );
    }
  }
  if (pod.spec?.resources?.limits !== undefined) {
    sentences.push("spec.resources: limits of a pod as a whole are not enforced; those of its containers are");
  }
  return sentences;
}
