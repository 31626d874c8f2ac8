import type {
  PersistentVolumeClaim,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetUpdateStrategy,
} from "../generated/types.ts";
import { persistentVolumeClaim } from "../persistentVolumeClaim/persistentVolumeClaim.ts";
import { withTemplateDefaults } from "../template/defaults.ts";

const REPLICAS = 1;
const HISTORY = 10;

function withStrategyDefaults(strategy: StatefulSetUpdateStrategy | undefined): StatefulSetUpdateStrategy {
  const type = strategy?.type || "RollingUpdate";
  // Who names the type and nothing more gets nothing more.
  const rollingUpdate = strategy?.rollingUpdate ?? (strategy?.type ? undefined : {});
  if (type !== "RollingUpdate" || rollingUpdate === undefined) return { ...strategy, type };
  return { ...strategy, type, rollingUpdate: { ...rollingUpdate, partition: rollingUpdate.partition ?? 0 } };
}

const withClaimDefaults = (claim: PersistentVolumeClaim): PersistentVolumeClaim => ({
  ...persistentVolumeClaim.defaults(claim),
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: claim.metadata ?? {},
});

export function defaults(object: StatefulSet): StatefulSet {
  const said: StatefulSetSpec | undefined = object.spec;
  const claims = said?.volumeClaimTemplates;
  return {
    ...object,
    ...(object.status === undefined ? {} : { status: { availableReplicas: 0, ...object.status } }),
    spec: {
      // A missing selector is refused, which this must not hide.
      ...(said ?? ({} as StatefulSetSpec)),
      replicas: said?.replicas ?? REPLICAS,
      template: withTemplateDefaults(said?.template),
      ...(claims === undefined ? {} : { volumeClaimTemplates: claims.map(withClaimDefaults) }),
      serviceName: said?.serviceName ?? "",
      podManagementPolicy: said?.podManagementPolicy || "OrderedReady",
      updateStrategy: withStrategyDefaults(said?.updateStrategy),
      revisionHistoryLimit: said?.revisionHistoryLimit ?? HISTORY,
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: said?.persistentVolumeClaimRetentionPolicy?.whenDeleted || "Retain",
        whenScaled: said?.persistentVolumeClaimRetentionPolicy?.whenScaled || "Retain",
      },
    },
  };
}
