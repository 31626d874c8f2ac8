import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";

type Source = Exclude<PersistentVolumeClaimSpec["dataSource"], undefined>;

/** All that the older of the two fields has ever meant. */
const isMeant = ({ apiGroup = "", kind }: Source): boolean =>
  (kind === "PersistentVolumeClaim" && apiGroup === "") ||
  (kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io");

/** `dataSource` and `dataSourceRef` say the same, whichever was said; in the older one what means nothing is dropped (KEP-1495). */
export function withDataSources(
  object: PersistentVolumeClaim,
  previous?: PersistentVolumeClaim,
): PersistentVolumeClaim {
  const { dataSource, dataSourceRef, ...spec } = object.spec ?? {};
  const wasSaid = previous?.spec?.dataSource !== undefined || previous?.spec?.dataSourceRef !== undefined;
  const isKept = dataSource !== undefined && (dataSourceRef !== undefined || wasSaid || isMeant(dataSource));
  const older = isKept ? dataSource : undefined;
  const newer = dataSourceRef ?? (older === undefined ? undefined : { ...older });
  const { namespace, ...local } = newer ?? { kind: "", name: "" };
  const said = older ?? (newer === undefined || namespace ? undefined : local);
  return {
    ...object,
    spec: {
      ...spec,
      ...(said === undefined ? {} : { dataSource: said }),
      ...(newer === undefined ? {} : { dataSourceRef: newer }),
    },
  };
}
