import { forbidden, invalid, tooLong, type Fault } from "../fault.ts";
import type { ConfigMap } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkConfigKey, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { configMaps } from "../resources.ts";
import { base64Bytes, sameJson } from "../meta/values.ts";

/** All values of a ConfigMap or a Secret together, in bytes. */
export const DATA_MAXIMUM = 1024 * 1024;

function validateData(object: ConfigMap): Fault[] {
  const faults: Fault[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(object.data ?? {})) {
    faults.push(...checkConfigKey(key).map((why) => invalid(`data[${key}]`, key, why)));
    if (object.binaryData !== undefined && Object.hasOwn(object.binaryData, key)) {
      faults.push(invalid(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
    bytes += Buffer.byteLength(value);
  }
  for (const [key, value] of Object.entries(object.binaryData ?? {})) {
    faults.push(...checkConfigKey(key).map((why) => invalid(`binaryData[${key}]`, key, why)));
    bytes += base64Bytes(value);
  }
  // The whole object is meant, which upstream names by an empty path.
  if (bytes > DATA_MAXIMUM) faults.push(tooLong("", DATA_MAXIMUM));
  return faults;
}

function validateImmutable(next: ConfigMap, previous: ConfigMap): Fault[] {
  if (previous.immutable !== true) return [];
  const why = "field is immutable when `immutable` is set";
  return [
    ...(next.immutable === true ? [] : [forbidden("immutable", why)]),
    ...(sameJson(next.data ?? {}, previous.data ?? {}) ? [] : [forbidden("data", why)]),
    ...(sameJson(next.binaryData ?? {}, previous.binaryData ?? {}) ? [] : [forbidden("binaryData", why)]),
  ];
}

export const configMap: Kind<ConfigMap> = {
  ...configMaps,
  singular: "configmap",
  shortNames: ["cm"],
  categories: [],
  type: "ConfigMap",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
    ...(previous === undefined ? [] : validateImmutable(next, previous)),
    ...validateData(next),
  ],
  columns: [nameColumn, column("Data", "How many values it holds."), ageColumn],
  row: (object, nowMs) => [
    nameOf(object),
    Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    age(object, nowMs),
  ],
  selectableFields: namespacedFields,
};
