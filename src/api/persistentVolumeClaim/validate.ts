import { forbidden, invalid, notSupported, required, type Fault } from "../fault.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, TypedObjectReference } from "../generated/types.ts";
import { checked, optionalOneOf } from "../meta/check.ts";
import { checkLabel, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { parseQuantity } from "../meta/quantity.ts";
import { sameJson } from "../meta/values.ts";
import { validateSelector } from "../selector/validateSelector.ts";
import { immutable } from "../template/immutable.ts";
import { WORKLOAD_META } from "../template/rules.ts";
import { validateClaimChange } from "./change.ts";

const MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const ALONE = "ReadWriteOncePod";

function validateModes(modes: readonly string[], field: string): Fault[] {
  if (modes.length === 0) return [required(field, "at least 1 access mode is required")];
  const known = modes.filter((mode) => MODES.includes(mode));
  return [
    ...modes.filter((mode) => !MODES.includes(mode)).map((mode) => notSupported(field, mode, MODES)),
    ...(known.includes(ALONE) && known.some((mode) => mode !== ALONE)
      ? [forbidden(field, "may not use ReadWriteOncePod with other access modes")]
      : []),
  ];
}

function validateStorage(text: string | undefined, field: string): Fault[] {
  if (text === undefined) return [required(field)];
  return parseQuantity(text).nano > 0n ? [] : [invalid(field, text, "must be greater than zero")];
}

function validateSource(source: TypedObjectReference, field: string): Fault[] {
  const { name, kind, apiGroup = "", namespace = "" } = source;
  return [
    ...(name === "" ? [required(`${field}.name`)] : []),
    ...(kind === "" ? [required(`${field}.kind`)] : []),
    ...(apiGroup === "" && kind !== "PersistentVolumeClaim"
      ? [invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
      : []),
    ...(apiGroup === "" ? [] : checked(checkSubdomain, `${field}.apiGroup`, apiGroup)),
    ...(namespace === "" ? [] : checked(checkLabel, `${field}.namespace`, namespace)),
  ];
}

/** What is claimed, wherever it stands: `field` is its path. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, field: string): Fault[] {
  const { dataSource, dataSourceRef, storageClassName, volumeAttributesClassName } = spec;
  return [
    ...validateModes(spec.accessModes ?? [], `${field}.accessModes`),
    ...validateSelector(spec.selector, `${field}.selector`),
    ...validateStorage(spec.resources?.requests?.["storage"], `${field}.resources[storage]`),
    ...(storageClassName ? checked(checkSubdomain, `${field}.storageClassName`, storageClassName) : []),
    ...optionalOneOf(`${field}.volumeMode`, spec.volumeMode, ["Block", "Filesystem"]),
    ...(dataSource === undefined ? [] : validateSource(dataSource, `${field}.dataSource`)),
    ...(dataSourceRef === undefined ? [] : validateSource(dataSourceRef, `${field}.dataSourceRef`)),
    ...(dataSource !== undefined && dataSourceRef !== undefined && !sameJson(dataSource, dataSourceRef)
      ? [invalid(field, `${field}.dataSource`, "must match dataSourceRef")]
      : []),
    ...(volumeAttributesClassName
      ? checked(checkSubdomain, `${field}.volumeAttributesClassName`, volumeAttributesClassName)
      : []),
  ];
}

export const validate = (next: PersistentVolumeClaim, previous: PersistentVolumeClaim | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...validateClaimSpec(next.spec ?? {}, "spec"),
  ...(previous === undefined
    ? []
    : [
        ...validateClaimChange(next, previous),
        ...immutable("volumeMode", next.spec?.volumeMode, previous.spec?.volumeMode),
      ]),
];

export function validateStatus(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): Fault[] {
  return [
    ...validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META),
    ...Object.entries(next.status?.capacity ?? {}).flatMap(([name, text]) =>
      parseQuantity(text).nano < 0n
        ? [
            invalid(
              `status.capacity[${name}]`,
              Number(parseQuantity(text).nano / 1_000_000_000n),
              "must be a valid resource quantity",
            ),
          ]
        : [],
    ),
  ];
}
