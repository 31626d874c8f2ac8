import type { PersistentVolumeClaim } from "../generated/types.ts";
import type { Cell, Column } from "../kind.ts";
import { age, ageColumn, column, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";

export const columns: readonly Column[] = [
  nameColumn,
  column("Status", "Whether it has what it claims."),
  column("Volume", "What it is given."),
  column("Capacity", "How much that holds."),
  column("Access Modes", "How that may be mounted."),
  column("StorageClass", "The class that was asked for."),
  column("VolumeAttributesClass", "The class of attributes that was asked for."),
  ageColumn,
  wideColumn("VolumeMode", "Whether it is a file system or a bare device."),
];

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
/** Access modes in the order in which they are told, in short. */
const MODES: readonly (readonly [mode: string, short: string])[] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

const modesText = (modes: readonly string[] = []): string =>
  MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(",");

export function row(object: PersistentVolumeClaim, nowMs: number): Cell[] {
  const { metadata, spec, status } = object;
  const isBound = !!spec?.volumeName;
  return [
    nameOf(object),
    metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
    spec?.volumeName ?? "",
    isBound ? (status?.capacity?.["storage"] ?? "0") : "",
    isBound ? modesText(status?.accessModes) : "",
    metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "",
    spec?.volumeAttributesClassName ?? "<unset>",
    age(object, nowMs),
    spec?.volumeMode ?? "<unset>",
  ];
}
