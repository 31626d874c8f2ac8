import type { Ingress, IngressClass } from "../../api/generated/types.ts";
import { CLASS_ANNOTATION } from "../../api/ingressClass/annotations.ts";
import { isDefaultClass } from "../../api/ingressClass/ingressClass.ts";

export interface ClassOptions {
  /** `spec.controller` of the classes that are ours. */
  readonly controller: string;
  /** Take Ingresses that name no class, too (CTL-151). */
  readonly withoutClass: boolean;
  /** The name that the old annotation may have of us though there is no such class. */
  readonly ingressClass?: string | undefined;
}

/**
 * Which Ingresses are ours, by the classes that there are (CTL-149 … CTL-151). The old annotation goes before the field, as the API has it
 * for objects that bear both.
 */
export function createClassJudge(
  classes: Iterable<IngressClass>,
  { controller, withoutClass, ingressClass }: ClassOptions,
): (ingress: Ingress) => boolean {
  const ours = new Set<string>();
  const theirs = new Set<string>();
  let newest: IngressClass | undefined;
  // Of several defaults the newest counts, as where the API server fills it in; of two that are equally new the first by name.
  for (const one of [...classes].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))) {
    const { name = "", creationTimestamp = "" } = one.metadata;
    (one.spec?.controller === controller ? ours : theirs).add(name);
    if (!isDefaultClass(one)) continue;
    if (newest === undefined || creationTimestamp > (newest.metadata.creationTimestamp ?? "")) newest = one;
  }
  const isDefaultOurs = newest !== undefined && ours.has(newest.metadata.name ?? "");
  return ({ metadata, spec }) => {
    const annotated = metadata.annotations?.[CLASS_ANNOTATION];
    // Annotations are older than classes: their name means us without one.
    if (annotated) return ours.has(annotated) || (annotated === ingressClass && !theirs.has(annotated));
    const named = spec?.ingressClassName;
    return named ? ours.has(named) : withoutClass || isDefaultOurs;
  };
}
