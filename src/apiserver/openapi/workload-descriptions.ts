/** As `descriptions.ts`, of the kinds that keep pods, and of what belongs to them. */

const REPLICAS = "How many pods there shall be. 1 unless said otherwise.";
const SELECTOR = "The labels by which it knows its pods. The template must carry them. Cannot be changed.";
const TEMPLATE = "What its pods are made from.";
const READY_SECONDS = "Seconds that a pod must be ready for, without a container ending, to count as available.";
const HISTORY = "How many old templates are kept to go back to. 10 unless said otherwise.";
const GENERATION = "The metadata.generation that this status is about.";
const CONDITIONS = "How it stands, aspect by aspect.";
const COLLISIONS = "How often a name that was to be given was taken. For the controller alone.";

const replicated = {
  minReadySeconds: READY_SECONDS,
  replicas: REPLICAS,
  selector: SELECTOR,
  template: TEMPLATE,
};
const counted = {
  availableReplicas: "How many pods have been ready for long enough.",
  conditions: CONDITIONS,
  observedGeneration: GENERATION,
  readyReplicas: "How many pods are ready.",
  replicas: "How many pods there are.",
};
const FULLY_LABELED = "How many pods carry all labels of the template.";
const TERMINATING = "How many pods are ending.";

export const workloadDescriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ControllerRevision: {
    "": "A template that a StatefulSet or DaemonSet had, kept so that it can go back to it.",
    data: "The template. Cannot be changed.",
    revision: "Its number; the newest has the greatest.",
  },
  DaemonSet: { "": "Keeps one pod on every node that its template lets it run on." },
  DaemonSetSpec: {
    minReadySeconds: READY_SECONDS,
    revisionHistoryLimit: HISTORY,
    selector: SELECTOR,
    template: TEMPLATE,
    updateStrategy: "How pods are replaced when the template changes.",
  },
  DaemonSetStatus: {
    collisionCount: COLLISIONS,
    conditions: CONDITIONS,
    currentNumberScheduled: "On how many nodes a pod runs that shall.",
    desiredNumberScheduled: "On how many nodes a pod shall run.",
    numberAvailable: "On how many nodes the pod has been ready for long enough.",
    numberMisscheduled: "On how many nodes a pod runs that shall not.",
    numberReady: "On how many nodes the pod is ready.",
    numberUnavailable: "On how many nodes there is no pod that has been ready for long enough.",
    observedGeneration: GENERATION,
    updatedNumberScheduled: "On how many nodes the pod is made from the template as it is now.",
  },
  DaemonSetUpdateStrategy: {
    rollingUpdate: "How far pods may be missing or doubled meanwhile. Only with RollingUpdate.",
    type: "RollingUpdate, which replaces pods by itself, or OnDelete, which waits until they are deleted.",
  },
  Deployment: { "": "Keeps pods of one template, and replaces them little by little when it changes." },
  DeploymentSpec: {
    ...replicated,
    paused: "When true, a change of the template replaces no pods yet.",
    progressDeadlineSeconds:
      "Seconds without progress after which a rollout counts as failed. 600 unless said otherwise.",
    revisionHistoryLimit: HISTORY,
    strategy: "How pods are replaced when the template changes.",
  },
  DeploymentStatus: {
    ...counted,
    collisionCount: COLLISIONS,
    terminatingReplicas: TERMINATING,
    unavailableReplicas: "How many pods are missing yet, or not available.",
    updatedReplicas: "How many pods are made from the template as it is now.",
  },
  DeploymentStrategy: {
    rollingUpdate: "How far there may be more or fewer pods meanwhile. Only with RollingUpdate.",
    type: "RollingUpdate, or Recreate, which ends all old pods before it makes new ones.",
  },
  Job: { "": "Runs pods until enough of them have ended well." },
  JobSpec: {
    activeDeadlineSeconds: "Seconds after which it is ended, done or not.",
    backoffLimit: "How many failures of pods it bears. 6 unless said otherwise.",
    backoffLimitPerIndex: "How many failures of each index it bears. Only when indexed.",
    completionMode: "NonIndexed: any pods that end well count. Indexed: one pod of each index must.",
    completions: "How many pods must end well. Without it, one does for all.",
    managedBy: "The controller that runs it; Kubernetes' own unless said otherwise. Cannot be changed.",
    manualSelector: "When true, its selector and labels are the writer's own affair.",
    maxFailedIndexes: "How many indexes may fail before it does. Only when indexed.",
    parallelism: "How many pods may run at once. 1 unless said otherwise.",
    podFailurePolicy: "Which failures of pods end it, or do not count.",
    podReplacementPolicy: "Whether a pod is replaced when it is ending, or only when it has failed.",
    selector: "The labels by which it knows its pods. Made for it, unless manualSelector is true.",
    successPolicy: "When it is done although not all indexes are. Only when indexed.",
    suspend: "When true, it runs no pods.",
    template: `${TEMPLATE} Their restartPolicy is Never or OnFailure.`,
    ttlSecondsAfterFinished: "Seconds after its end after which it is deleted.",
  },
  PersistentVolumeClaim: { "": "Claims room for files that outlives the pods which use it." },
  PersistentVolumeClaimSpec: {
    accessModes: "How it may be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.",
    resources: "How much room is claimed, as requests.storage.",
    storageClassName: "The class of storage that is asked for.",
    volumeMode: "Filesystem, or Block for a bare device. Filesystem unless said otherwise.",
    volumeName: "What the claim is given.",
  },
  PodDisruptionBudget: { "": "Says how many of some pods must stay when others are evicted." },
  PodDisruptionBudgetSpec: {
    maxUnavailable: "How many of the pods may be missing, as a number or a percentage. Not with minAvailable.",
    minAvailable: "How many of the pods must stay, as a number or a percentage. Not with maxUnavailable.",
    selector: "The pods it is about; an empty one is about all of the namespace.",
    unhealthyPodEvictionPolicy:
      "IfHealthyBudget: pods that are not ready may be evicted when enough others are. AlwaysAllow: they may always be.",
  },
  PodDisruptionBudgetStatus: {
    conditions: CONDITIONS,
    currentHealthy: "How many of the pods are ready.",
    desiredHealthy: "How many of the pods must be ready.",
    disruptedPods: "Pods that are being evicted and are not gone yet, and since when.",
    disruptionsAllowed: "How many pods may be evicted now.",
    expectedPods: "How many pods are counted.",
    observedGeneration: GENERATION,
  },
  PodTemplateSpec: {
    "": "What pods are made from.",
    metadata: "Labels and annotations of the pods.",
    spec: "What the pods are to do.",
  },
  ReplicaSet: { "": "Keeps a number of pods. Most are made by Deployments." },
  ReplicaSetSpec: replicated,
  ReplicaSetStatus: { ...counted, fullyLabeledReplicas: FULLY_LABELED, terminatingReplicas: TERMINATING },
  ReplicationController: { "": "Keeps a number of pods. A Deployment does so, and replaces them too." },
  ReplicationControllerSpec: {
    ...replicated,
    selector: "The labels by which it knows its pods. Those of the template unless said otherwise.",
  },
  ReplicationControllerStatus: { ...counted, fullyLabeledReplicas: FULLY_LABELED },
  RollingUpdateDaemonSet: {
    maxSurge: "On how many nodes the new pod may run beside the old one. 0 unless said otherwise.",
    maxUnavailable: "On how many nodes the pod may be missing. 1 unless said otherwise.",
  },
  RollingUpdateDeployment: {
    maxSurge: "How many pods there may be more than wanted, as a number or a percentage. 25% unless said otherwise.",
    maxUnavailable:
      "How many of the wanted pods may be missing, as a number or a percentage. 25% unless said otherwise.",
  },
  RollingUpdateStatefulSetStrategy: {
    maxUnavailable: "How many pods may be missing, as a number or a percentage.",
    partition: "Only pods from this ordinal on are replaced. 0 unless said otherwise.",
  },
  Scale: { "": "How many pods a workload wants, and has." },
  ScaleSpec: { replicas: "How many pods are wanted." },
  ScaleStatus: {
    replicas: "How many pods there are.",
    selector: "The labels of the pods, as a labelSelector of a URL.",
  },
  StatefulSet: { "": "Keeps pods that have names, and room for files, of their own: web-0, web-1, …." },
  StatefulSetOrdinals: { start: "The first pod's number. 0 unless said otherwise." },
  StatefulSetPersistentVolumeClaimRetentionPolicy: {
    whenDeleted: "What becomes of its pods' claims when it is deleted: Retain or Delete.",
    whenScaled: "What becomes of the claims of pods that are too many: Retain or Delete.",
  },
  StatefulSetSpec: {
    ...replicated,
    ordinals: "How its pods are numbered.",
    persistentVolumeClaimRetentionPolicy: "What becomes of the claims of pods that are not wanted any more.",
    podManagementPolicy: "OrderedReady: one pod after another. Parallel: all at once. Cannot be changed.",
    revisionHistoryLimit: HISTORY,
    serviceName: "The headless Service that gives its pods names in DNS. Cannot be changed.",
    updateStrategy: "How pods are replaced when the template changes.",
    volumeClaimTemplates: "Claims that each pod has of its own. Cannot be changed.",
  },
  StatefulSetStatus: {
    ...counted,
    collisionCount: COLLISIONS,
    currentReplicas: "How many pods are made from currentRevision.",
    currentRevision: "The ControllerRevision that pods are made from which are not replaced yet.",
    updateRevision: "The ControllerRevision that pods are made from which have been replaced.",
    updatedReplicas: "How many pods are made from updateRevision.",
  },
  StatefulSetUpdateStrategy: {
    rollingUpdate: "Which pods are replaced. Only with RollingUpdate.",
    type: "RollingUpdate, which replaces pods by itself, or OnDelete, which waits until they are deleted.",
  },
};
