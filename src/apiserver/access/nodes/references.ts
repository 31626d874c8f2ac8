import type { Container, EphemeralContainer, Pod, Volume } from "../../../api/generated/types.ts";

/** What a pod reads to run, and whoever it is: the plurals and names of objects in its namespace. */
export interface References {
  readonly secrets: ReadonlySet<string>;
  readonly configmaps: ReadonlySet<string>;
  readonly serviceaccounts: ReadonlySet<string>;
  readonly persistentvolumeclaims: ReadonlySet<string>;
}

type Named = { readonly name?: string | undefined } | undefined;

const containersOf = ({ spec }: Pod): readonly (Container | EphemeralContainer)[] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
  ...(spec?.ephemeralContainers ?? []),
];

function secretsOfVolume(volume: Volume): (string | undefined)[] {
  const named: Named[] = [
    volume.cephfs?.secretRef,
    volume.csi?.nodePublishSecretRef,
    volume.flexVolume?.secretRef,
    volume.iscsi?.secretRef,
    volume.rbd?.secretRef,
    volume.scaleIO?.secretRef,
    volume.storageos?.secretRef,
    ...(volume.projected?.sources ?? []).map(({ secret }) => secret),
  ];
  return [volume.secret?.secretName, volume.azureFile?.secretName, ...named.map((one) => one?.name)];
}

const configMapsOfVolume = ({ configMap, projected }: Volume): (string | undefined)[] => [
  configMap?.name,
  ...(projected?.sources ?? []).map((source) => source.configMap?.name),
];

const named = (names: readonly (string | undefined)[]): Set<string> =>
  new Set(names.filter((name): name is string => name !== undefined && name !== ""));

/** An ephemeral volume is a claim that is named after the pod and the volume. */
const claimOfVolume = ({ metadata }: Pod, volume: Volume): string | undefined =>
  volume.ephemeral === undefined ? volume.persistentVolumeClaim?.claimName : `${metadata.name ?? ""}-${volume.name}`;

/** Every Secret, ConfigMap, ServiceAccount and PersistentVolumeClaim that a pod names. */
export function referencesOf(pod: Pod): References {
  const containers = containersOf(pod);
  const variables = containers.flatMap(({ env }) => env ?? []).map(({ valueFrom }) => valueFrom);
  const sources = containers.flatMap(({ envFrom }) => envFrom ?? []);
  const volumes = pod.spec?.volumes ?? [];
  return {
    secrets: named([
      ...(pod.spec?.imagePullSecrets ?? []).map(({ name }) => name),
      ...variables.map((from) => from?.secretKeyRef?.name),
      ...sources.map(({ secretRef }) => secretRef?.name),
      ...volumes.flatMap(secretsOfVolume),
    ]),
    configmaps: named([
      ...variables.map((from) => from?.configMapKeyRef?.name),
      ...sources.map(({ configMapRef }) => configMapRef?.name),
      ...volumes.flatMap(configMapsOfVolume),
    ]),
    serviceaccounts: named([pod.spec?.serviceAccountName]),
    persistentvolumeclaims: named(volumes.map((volume) => claimOfVolume(pod, volume))),
  };
}

/** Kinds of volumes that are not filled from the API. */
const LOCAL_VOLUMES = new Set<keyof Volume>([
  "awsElasticBlockStore",
  "azureDisk",
  "cephfs",
  "cinder",
  "downwardAPI",
  "emptyDir",
  "fc",
  "flexVolume",
  "flocker",
  "gcePersistentDisk",
  "gitRepo",
  "hostPath",
  "image",
  "iscsi",
  "nfs",
  "photonPersistentDisk",
  "portworxVolume",
  "quobyte",
  "rbd",
  "scaleIO",
  "storageos",
  "vsphereVolume",
]);

/** What a pod reaches of the API by being there, as a plural with how; undefined for a pod that reaches nothing. */
export function reachesApi(pod: Pod): string | undefined {
  const { secrets, configmaps, serviceaccounts } = referencesOf(pod);
  if (serviceaccounts.size > 0) return "serviceaccounts";
  if (secrets.size > 0) return "secrets";
  if (configmaps.size > 0) return "configmaps";
  if ((pod.spec?.resourceClaims ?? []).length > 0) return "resourceclaims";
  for (const volume of pod.spec?.volumes ?? []) {
    const kind = (Object.keys(volume) as (keyof Volume)[]).find((field) => field !== "name");
    if (kind !== undefined && LOCAL_VOLUMES.has(kind)) continue;
    if (kind === "csi") return "csidrivers (via CSI volumes)";
    if (kind === "glusterfs") return "endpoints (via glusterFS volumes)";
    if (kind === "persistentVolumeClaim") return "persistentvolumeclaims";
    if (kind === "ephemeral") return "persistentvolumeclaims (via ephemeral volumes)";
    if (kind !== "projected") return `what its volume ${JSON.stringify(volume.name)} is filled from`;
    const source = volume.projected?.sources?.find(({ downwardAPI }) => downwardAPI === undefined);
    if (source === undefined) continue;
    if (source.serviceAccountToken !== undefined) return "serviceaccounts (via projected volumes)";
    if (source.clusterTrustBundle !== undefined) return "clustertrustbundles";
    return `what its volume ${JSON.stringify(volume.name)} is filled from`;
  }
  return undefined;
}
