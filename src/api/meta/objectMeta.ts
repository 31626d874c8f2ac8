import { forbidden, invalid, required, tooLong, type Fault } from "../fault.ts";
import type { ObjectMeta, OwnerReference } from "../generated/types.ts";
import { checked } from "./check.ts";
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

/** `metadata.annotations`, or those of a template. */
export function validateAnnotations(
  annotations: Record<string, string> | undefined,
  field = "metadata.annotations",
): Fault[] {
  if (annotations === undefined) return [];
  const faults: Fault[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    // Keys of annotations may be written in upper case; only then are they measured as the lower-case name.
    faults.push(...checkQualifiedName(key.toLowerCase()).map((why) => invalid(field, key, why)));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > ANNOTATIONS_MAXIMUM) faults.push(tooLong(field, ANNOTATIONS_MAXIMUM));
  return faults;
}

/** The only finalizers whose names need no domain (core `helper.IsStandardFinalizerName`). */
const STANDARD_FINALIZERS = ["kubernetes", "orphan", "foregroundDeletion"];

function validateFinalizers(finalizers: readonly string[] = []): Fault[] {
  const field = "metadata.finalizers";
  const faults = finalizers.flatMap((finalizer) => checked(checkQualifiedName, field, finalizer));
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    faults.push(invalid(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return faults;
}

const validateFinalizerDomains = (finalizers: readonly string[] = []): Fault[] =>
  finalizers.flatMap((finalizer, index) =>
    finalizer.includes("/") || STANDARD_FINALIZERS.includes(finalizer)
      ? []
      : [
          invalid(
            `metadata.finalizers[${index}]`,
            finalizer,
            "name is neither a standard finalizer name nor is it fully qualified",
          ),
        ],
  );

function validateOwners(owners: readonly OwnerReference[] = []): Fault[] {
  const field = "metadata.ownerReferences";
  const faults: Fault[] = [];
  let controller: string | undefined;
  for (const owner of owners) {
    if (!owner.apiVersion) faults.push(invalid(`${field}.apiVersion`, "", "version must not be empty"));
    for (const key of ["kind", "name", "uid"] as const) {
      if (!owner[key]) faults.push(invalid(`${field}.${key}`, "", "must not be empty"));
    }
    if (owner.controller !== true) continue;
    const named = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = named;
    else {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${named}`;
      faults.push(invalid(field, owners, why));
    }
  }
  return faults;
}

function validateName(meta: ObjectMeta, rules: MetaRules): Fault[] {
  const faults: Fault[] = [];
  if (meta.generateName) {
    // A prefix may end in a dash, because more is to come.
    const base = meta.generateName.replace(/.-$/, "a");
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
  const faults: Fault[] = [];
  if (previous.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter((name) => !(previous.finalizers ?? []).includes(name));
    if (added.length > 0) {
      const list = [...new Set(added)].sort().map((name) => JSON.stringify(name));
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list.join(", ")}}`;
      faults.push(forbidden("metadata.finalizers", why));
    }
  }
  for (const field of IMMUTABLE) {
    if ((next[field] ?? "") !== (previous[field] ?? "")) {
      faults.push(invalid(`metadata.${field}`, next[field] ?? "", "field is immutable"));
    }
  }
  return faults;
}

/**
 * The rules that all objects share. The name is judged on create only: an old name stays good when rules change (SVC-045).
 * Upstream goes over the metadata of an update three times, for any kind and for this one, and tells its faults each time; so do we.
 */
export function validateObjectMeta(next: ObjectMeta, previous: ObjectMeta | undefined, rules: MetaRules): Fault[] {
  const always = [
    ...validateLabels(next.labels, "metadata.labels"),
    ...validateAnnotations(next.annotations),
    ...validateOwners(next.ownerReferences),
  ];
  const finalizers = validateFinalizers(next.finalizers);
  const domains = validateFinalizerDomains(next.finalizers);
  if (previous === undefined) {
    return [...validateName(next, rules), ...validateNamespace(next, rules), ...always, ...finalizers, ...domains];
  }
  const change = validateChange(next, previous);
  return [...always, ...finalizers, ...change, ...always, ...change, ...always, ...domains];
}
