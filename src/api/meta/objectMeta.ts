import { forbidden, invalid, required, tooLong, type Fault } from "../fault.ts";
import type { ObjectMeta } from "../generated/types.ts";
import { checkLabelValue, checkQualifiedName, type NameCheck } from "./names.ts";

/** All annotations of an object together, keys and values, in bytes. */
const ANNOTATIONS_MAXIMUM = 256 * 1024;

export interface MetaRules {
  readonly namespaced: boolean;
  readonly checkName: NameCheck;
}

/** Label keys and values: `metadata.labels`, a selector, a `nodeSelector`. */
export function validateLabels(labels: Record<string, string> | undefined, field: string): Fault[] {
  if (labels === undefined) return [];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((why) => invalid(field, key, why)),
    ...checkLabelValue(value).map((why) => invalid(field, value, why)),
  ]);
}

function validateAnnotations(annotations: Record<string, string> | undefined): Fault[] {
  if (annotations === undefined) return [];
  const faults: Fault[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    // Keys of annotations may be written in upper case; only then are they measured as the lower-case name.
    faults.push(...checkQualifiedName(key.toLowerCase()).map((why) => invalid("metadata.annotations", key, why)));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > ANNOTATIONS_MAXIMUM) faults.push(tooLong("metadata.annotations", ANNOTATIONS_MAXIMUM));
  return faults;
}

function validateFinalizers(finalizers: readonly string[] | undefined): Fault[] {
  return (finalizers ?? []).flatMap((finalizer, index) => {
    const field = `metadata.finalizers[${index}]`;
    return checkQualifiedName(finalizer).map((why) => invalid(field, finalizer, why));
  });
}

function validateOwners(meta: ObjectMeta): Fault[] {
  const owners = meta.ownerReferences ?? [];
  const faults = owners.flatMap((owner, index) => {
    const field = `metadata.ownerReferences[${index}]`;
    return [
      ...(owner.apiVersion ? [] : [invalid(`${field}.apiVersion`, "", "version must not be empty")]),
      ...(owner.kind ? [] : [invalid(`${field}.kind`, "", "must not be empty")]),
      ...(owner.name ? [] : [invalid(`${field}.name`, "", "must not be empty")]),
      ...(owner.uid ? [] : [invalid(`${field}.uid`, "", "must not be empty")]),
    ];
  });
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length > 1) {
    const names = controllers.map((owner) => `${owner.kind}/${owner.name}`).join(" and ");
    faults.push(invalid("metadata.ownerReferences", names, "Only one reference can have Controller set to true"));
  }
  return faults;
}

function validateName(meta: ObjectMeta, rules: MetaRules): Fault[] {
  const faults: Fault[] = [];
  if (meta.generateName) {
    // A prefix may end in a dash, because more is to come.
    const base = meta.generateName.replace(/-$/, "a");
    faults.push(...rules.checkName(base).map((why) => invalid("metadata.generateName", meta.generateName, why)));
  }
  if (!meta.name) faults.push(required("metadata.name", "name or generateName is required"));
  else faults.push(...rules.checkName(meta.name).map((why) => invalid("metadata.name", meta.name, why)));
  return faults;
}

function validateNamespace(meta: ObjectMeta, rules: MetaRules): Fault[] {
  if (rules.namespaced) return meta.namespace ? [] : [required("metadata.namespace")];
  return meta.namespace ? [forbidden("metadata.namespace", "not allowed on this type")] : [];
}

const IMMUTABLE = ["name", "namespace", "uid", "creationTimestamp"] as const;

function validateChange(next: ObjectMeta, previous: ObjectMeta): Fault[] {
  const faults = IMMUTABLE.filter((field) => (next[field] ?? "") !== (previous[field] ?? "")).map((field) =>
    invalid(`metadata.${field}`, next[field] ?? "", "field is immutable"),
  );
  if (previous.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter((name) => !(previous.finalizers ?? []).includes(name));
    if (added.length > 0) {
      const list = added.map((name) => JSON.stringify(name)).join(", ");
      faults.push(
        forbidden(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
        ),
      );
    }
  }
  return faults;
}

/** The rules that all objects share. The name is judged on create only: an old name stays good when rules change (SVC-045). */
export function validateObjectMeta(next: ObjectMeta, previous: ObjectMeta | undefined, rules: MetaRules): Fault[] {
  return [
    ...(previous === undefined
      ? [...validateName(next, rules), ...validateNamespace(next, rules)]
      : validateChange(next, previous)),
    ...validateLabels(next.labels, "metadata.labels"),
    ...validateAnnotations(next.annotations),
    ...validateFinalizers(next.finalizers),
    ...validateOwners(next),
  ];
}
