import type { PodTemplateSpec } from "../generated/types.ts";
import { withPodSpecDefaults } from "../pod/defaults.ts";

/** The template of a workload's pods, with what its writer left out. */
export const withTemplateDefaults = (template: PodTemplateSpec | undefined): PodTemplateSpec => ({
  ...template,
  metadata: template?.metadata ?? {},
  spec: withPodSpecDefaults(template?.spec),
});
