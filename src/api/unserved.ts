import type { Resource } from "./object.ts";

/** A kind of Kubernetes' that is refused by name. */
interface Unserved extends Pick<Resource, "group" | "plural" | "kind"> {
  /** What it would have done, and what there is in its place: the end of a sentence that its kind begins. */
  readonly why: string;
}

const kind = (group: string, plural: string, name: string, why: string): Unserved => ({
  group,
  plural,
  kind: name,
  why,
});

const CLAIMS = "a PersistentVolumeClaim becomes a directory without it";

/**
 * Kinds that manifests contain and that are not served. None of them is accepted and ignored: who writes a NetworkPolicy counts on it.
 * Discovery does not list them, so that programs which ask what there is do without them.
 */
const UNSERVED: readonly Unserved[] = [
  kind(
    "networking.k8s.io",
    "networkpolicies",
    "NetworkPolicy",
    "would limit which pods may talk to which, and nothing here would hold them to it; leave it out only where every pod may reach every other",
  ),
  kind(
    "autoscaling",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    "would change how many pods there are by how busy they are, which is not measured here; set the number by hand: kubectl scale deployment NAME --replicas=3",
  ),
  kind(
    "batch",
    "cronjobs",
    "CronJob",
    "would make a Job at set times; make a Job, and let a clock of your own, such as cron, do so: kubectl create job NAME --image=IMAGE",
  ),
  kind(
    "apiextensions.k8s.io",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    "would add a kind of your own, and the kinds here are fixed; a program that needs one needs a full Kubernetes",
  ),
  kind("", "persistentvolumes", "PersistentVolume", `would be a piece of storage that a claim is given; ${CLAIMS}`),
  kind("storage.k8s.io", "storageclasses", "StorageClass", `would say how storage for claims is made; ${CLAIMS}`),
  kind(
    "node.k8s.io",
    "runtimeclasses",
    "RuntimeClass",
    "would say by which runtime pods are run; a pod's runtimeClassName names one of Fairlead's own without it",
  ),
  kind(
    "scheduling.k8s.io",
    "priorityclasses",
    "PriorityClass",
    "would say which pods make room for which, and no pod is put aside for another here; leave out priorityClassName",
  ),
  kind(
    "",
    "limitranges",
    "LimitRange",
    "would give containers requests and limits that they do not name, and bound them; name them in each pod, and bound their sum by a ResourceQuota",
  ),
  kind(
    "",
    "podtemplates",
    "PodTemplate",
    "would keep a template that nothing makes pods from; write it as the template of a Deployment",
  ),
];

/** What hangs below a pod and is refused by name: the word in the URL → the sentence. */
const BELOW_PODS: Readonly<Record<string, string>> = {
  ephemeralcontainers:
    "pods/ephemeralcontainers is not served by Fairlead: it would add a container to a pod that runs, for kubectl debug; a container that is there already can be looked into: kubectl exec -it POD -- sh",
  resize:
    "pods/resize is not served by Fairlead: it would change requests and limits of a pod that runs; change them in its template, which makes new pods, or make the pod anew",
};

const sentenceOf = ({ kind: name, why }: Pick<Unserved, "kind" | "why">): string =>
  `${name} is not served by Fairlead: it ${why}`;

/** Groups without a dot and those of `k8s.io` are Kubernetes' own; every other one is somebody's. */
const isCustom = (group: string): boolean => group.includes(".") && !/(^|\.)k8s\.io$/.test(group);

const customSentence = (what: string): string =>
  `${what} is not served by Fairlead: it is a custom resource, and the kinds here are fixed; what it is for needs a full Kubernetes`;

const names = UNSERVED.map(({ kind: name }) => name).join(", ");

/**
 * What is said when CustomResourceDefinitions are listed: kubectl does that when a manifest holds a kind which no document of the server
 * describes, and shows this to its user. Which kind it was it does not tell.
 */
export const SOUGHT_AMONG_CUSTOM =
  "no custom resources are served by Fairlead; a kind that is sought among them is one, or one of those that are refused here: " +
  `${names}; fairlead up -f FILE says what it would have done`;

/** Why a resource that a URL names is not served; undefined for one of which nothing is known. */
export function unservedResource(group: string, plural: string): string | undefined {
  const found = UNSERVED.find((one) => one.group === group && one.plural === plural);
  if (found !== undefined) return sentenceOf(found);
  return isCustom(group) ? customSentence(`${plural}.${group}`) : undefined;
}

/** As `unservedResource`, for a manifest's `apiVersion` and `kind`. */
export function unservedKind(apiVersion: string, name: string): string | undefined {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const found = UNSERVED.find((one) => one.group === group && one.kind === name);
  if (found !== undefined) return sentenceOf(found);
  return isCustom(group) ? customSentence(`${name} of ${group}`) : undefined;
}

/** Why a part of a pod is not served; undefined for a word that means nothing. */
export const unservedBelowPods = (word: string): string | undefined =>
  Object.hasOwn(BELOW_PODS, word) ? BELOW_PODS[word] : undefined;
