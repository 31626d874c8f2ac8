import type { KubeObject } from "../../api/object.ts";

/** An object's metadata alone, as `as=PartialObjectMetadata` asks. */
export const partialOf = (object: KubeObject, version = "v1"): KubeObject => ({
  kind: "PartialObjectMetadata",
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
});
