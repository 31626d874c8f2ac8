import type { DaemonSet } from "../generated/types.ts";
import { sameJson } from "../meta/values.ts";

/** By this annotation clients of older versions learn how often the template has changed. */
const ANNOTATION = "deprecated.daemonset.template.generation";

const generationOf = ({ metadata }: DaemonSet): number => {
  const said = Number(metadata.annotations?.[ANNOTATION] ?? "0");
  return Number.isSafeInteger(said) ? said : 0;
};

const withGeneration = (object: DaemonSet, generation: number): DaemonSet => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [ANNOTATION]: String(generation) } },
});

/** The annotation is always there; a new object's counts from 1. */
export const withTemplateGeneration = (object: DaemonSet): DaemonSet => withGeneration(object, generationOf(object));

export const firstTemplateGeneration = (object: DaemonSet): DaemonSet =>
  withGeneration(object, Math.max(1, generationOf(object)));

/** Whatever a writer says of it, it moves with the template alone. */
export const nextTemplateGeneration = (next: DaemonSet, previous: DaemonSet): DaemonSet =>
  withGeneration(next, generationOf(previous) + (sameJson(next.spec?.template, previous.spec?.template) ? 0 : 1));
