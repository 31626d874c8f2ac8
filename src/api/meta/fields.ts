import type { KubeObject } from "../object.ts";

/** The field labels every namespaced kind can be selected by. */
export const namespacedFields = (object: KubeObject): Record<string, string> => ({
  "metadata.name": object.metadata.name ?? "",
  "metadata.namespace": object.metadata.namespace ?? "",
});

/** The field label every cluster-wide kind can be selected by. */
export const clusterFields = (object: KubeObject): Record<string, string> => ({
  "metadata.name": object.metadata.name ?? "",
});
