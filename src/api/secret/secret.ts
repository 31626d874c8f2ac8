import { DATA_MAXIMUM } from "../configMap/configMap.ts";
import { forbidden, invalid, required, tooLong, type Fault } from "../fault.ts";
import type { Secret } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkConfigKey, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { secrets } from "../resources.ts";
import { base64Bytes, sameJson } from "../meta/values.ts";

/** Keys that a type of Secret cannot do without. */
const REQUIRED_KEYS: Record<string, readonly string[]> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

const SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name";

/** `stringData` is for writers only: it goes into `data`, over what is there, and is never read back. */
function mergeStringData(object: Secret): Secret {
  const { stringData, ...secret } = object;
  const type = secret.type === undefined || secret.type === "" ? "Opaque" : secret.type;
  if (stringData === undefined) return secret.type === type ? object : { ...secret, type };
  const data: Record<string, string> = { ...secret.data };
  for (const [key, value] of Object.entries(stringData)) data[key] = Buffer.from(value).toString("base64");
  return { ...secret, type, data };
}

function validateData(object: Secret): Fault[] {
  const faults: Fault[] = [];
  const data = object.data ?? {};
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    faults.push(...checkConfigKey(key).map((why) => invalid(`data[${key}]`, key, why)));
    bytes += base64Bytes(value);
  }
  if (bytes > DATA_MAXIMUM) faults.push(tooLong("data", DATA_MAXIMUM));
  const type = object.type ?? "";
  const keys = Object.hasOwn(REQUIRED_KEYS, type) ? REQUIRED_KEYS[type]! : [];
  for (const key of keys) if (!Object.hasOwn(data, key)) faults.push(required(`data[${key}]`));
  if (type === "kubernetes.io/basic-auth" && !Object.hasOwn(data, "username") && !Object.hasOwn(data, "password")) {
    faults.push(required("data[username]"), required("data[password]"));
  }
  if (type === "kubernetes.io/service-account-token" && !object.metadata.annotations?.[SERVICE_ACCOUNT_NAME]) {
    faults.push(required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`));
  }
  return faults;
}

function validateChange(next: Secret, previous: Secret): Fault[] {
  const faults = next.type === previous.type ? [] : [invalid("type", next.type ?? "", "field is immutable")];
  if (previous.immutable !== true) return faults;
  const why = "field is immutable when `immutable` is set";
  if (next.immutable !== true) faults.push(forbidden("immutable", why));
  if (!sameJson(next.data ?? {}, previous.data ?? {})) faults.push(forbidden("data", why));
  return faults;
}

export const secret: Kind<Secret> = {
  ...secrets,
  singular: "secret",
  shortNames: [],
  categories: [],
  type: "Secret",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: mergeStringData,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
    ...(previous === undefined ? [] : validateChange(next, previous)),
    ...validateData(next),
  ],
  columns: [
    nameColumn,
    column("Type", "What the values are for."),
    column("Data", "How many values it holds."),
    ageColumn,
  ],
  row: (object, nowMs) => [
    nameOf(object),
    object.type ?? "",
    Object.keys(object.data ?? {}).length,
    age(object, nowMs),
  ],
  selectableFields: (object) => ({ ...namespacedFields(object), type: object.type ?? "" }),
};
