import type { Scale } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { age, ageColumn, countColumn, nameColumn, nameOf } from "../meta/columns.ts";
import { nonNegative } from "../meta/check.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import type { KubeObject } from "../object.ts";

/** How a workload says how many pods it keeps, and is told so. */
export interface Scaling<T extends KubeObject> {
  /** How many are wanted. */
  replicas(object: T): number;
  /** The object, wanting so many. */
  withReplicas(object: T, replicas: number): T;
  /** How many there are, and which, as a URL's `labelSelector`. */
  status(object: T): { readonly replicas: number; readonly selector: string };
}

/**
 * What `/scale` of a workload answers with and takes: its number of pods and nothing else. It is stored nowhere, and so has no path of its
 * own; as a kind it is read, patched, shown and told like any other.
 */
export const scale: Kind<Scale> = {
  group: "autoscaling",
  version: "v1",
  plural: "scales",
  kind: "Scale",
  namespaced: true,
  singular: "scale",
  shortNames: [],
  categories: [],
  type: "Scale",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: (object) => object,
  prepareForCreate: (object) => object,
  prepareForUpdate: (next) => next,
  validate: (next) => [
    ...validateObjectMeta(next.metadata, undefined, { namespaced: true, checkName: checkSubdomain }),
    ...nonNegative("spec.replicas", next.spec?.replicas),
  ],
  columns: [
    nameColumn,
    countColumn("Desired", "How many pods are wanted."),
    countColumn("Available", "How many there are."),
    ageColumn,
  ],
  row: (object, nowMs) => [
    nameOf(object),
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    age(object, nowMs),
  ],
  selectableFields: namespacedFields,
};

/** The Scale of a workload, as it is now. */
export function scaleOf<T extends KubeObject>(scaling: Scaling<T>, object: T): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = scaling.replicas(object);
  const { replicas: there, selector } = scaling.status(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: there, ...(selector === "" ? {} : { selector }) },
  };
}
