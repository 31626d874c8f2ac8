import type { Lease, Node, PersistentVolumeClaim, Pod, TokenRequest } from "../../api/generated/types.ts";
import { sameJson } from "../../api/meta/values.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import * as resources from "../../api/resources.ts";
import { NODE_LEASES } from "../access/nodes/authorizer.ts";
import { nodeOf } from "../access/nodes/identity.ts";
import { isMirrorPod, MIRROR_POD } from "../access/nodes/mirror-pod.ts";
import { reachesApi } from "../access/nodes/references.ts";
import type { Context } from "../context.ts";
import { forbiddenWrite, notFound } from "../errors.ts";
import { freshItem, itemAt, type At } from "../write.ts";
import { NOTHING_BESIDE, type Admission, type AdmissionRequest } from "./admission.ts";

const RESTRICTED = "node-restriction.kubernetes.io";
/** Label domains in which a node may say what it likes of itself. */
const OWN_DOMAINS = ["kubelet.kubernetes.io", "node.kubernetes.io"];
/** Labels of Kubernetes' own domains that a node may give itself. */
const OWN_LABELS = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
]);

const isWithin = (name: string, domain: string): boolean => name === domain || name.endsWith(`.${domain}`);

/** A label by which people steer pods: were it the node's to set, it could draw to itself what must not run there. */
function isForbiddenLabel(label: string): boolean {
  const slash = label.indexOf("/");
  const domain = slash < 0 ? "" : label.slice(0, slash);
  if (isWithin(domain, RESTRICTED)) return true;
  if (!isWithin(domain, "kubernetes.io") && !isWithin(domain, "k8s.io")) return false;
  return !OWN_LABELS.has(label) && !OWN_DOMAINS.some((own) => isWithin(domain, own));
}

type Labels = Readonly<Record<string, string>> | undefined;

function forbiddenLabels(next: Labels = {}, previous: Labels = {}): string {
  const changed = Object.keys({ ...next, ...previous }).filter((label) => next[label] !== previous[label]);
  return changed.filter(isForbiddenLabel).sort().join(", ");
}

/** @throws ApiError NotFound */
async function found(context: Context, resource: Resource, at: At): Promise<KubeObject> {
  const kind = context.kinds.find(resource.group, resource.version, resource.plural);
  const item = kind && (itemAt(context, kind, at) ?? (await freshItem(context, kind, at)));
  if (item === undefined) throw notFound(resource, at.name);
  return item.object;
}

type Refuse = (why: string) => never;

function admitNode(node: string, request: AdmissionRequest, refuse: Refuse): void {
  if (request.name !== node) refuse(`node "${node}" is not allowed to modify node "${request.name}"`);
  const next = request.next as Node | undefined;
  const previous = request.previous as Node | undefined;
  if (next === undefined) return;
  const labels = forbiddenLabels(next.metadata.labels, previous?.metadata.labels);
  const source = next.spec?.configSource;
  if (previous === undefined) {
    if (source !== undefined) refuse(`node "${node}" is not allowed to create pods with a non-nil configSource`);
    if (labels !== "") refuse(`node "${node}" is not allowed to set the following labels: ${labels}`);
    return;
  }
  if (source !== undefined && !sameJson(source, previous.spec?.configSource)) {
    refuse(`node "${node}" is not allowed to update configSource to a new non-nil configSource`);
  }
  if (!sameJson(next.spec?.taints ?? [], previous.spec?.taints ?? [])) {
    refuse(`node "${node}" is not allowed to modify taints`);
  }
  if (!sameJson(next.metadata.ownerReferences ?? [], previous.metadata.ownerReferences ?? [])) {
    refuse(`node "${node}" is not allowed to modify ownerReferences`);
  }
  if (labels !== "") refuse(`is not allowed to modify labels: ${labels}`);
}

/** A node creates a pod only to show what it runs of its own accord, as its own, and reading nothing from the API by it. */
async function admitMirrorPod(node: string, pod: Pod, context: Context, refuse: Refuse): Promise<void> {
  if (!isMirrorPod(pod)) {
    refuse(`pod does not have "${MIRROR_POD}" annotation, node "${node}" can only create mirror pods`);
  }
  if (pod.spec?.nodeName !== node) refuse(`node "${node}" can only create pods with spec.nodeName set to itself`);
  const owners = pod.metadata.ownerReferences ?? [];
  const [owner] = owners;
  if (owners.length > 1) {
    refuse(`node "${node}" can only create pods with a single owner reference set to itself`);
  }
  if (owner === undefined || owner.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    return refuse(`node "${node}" can only create pods with an owner reference set to itself`);
  }
  if (owner.controller !== true) {
    refuse(`node "${node}" can only create pods with a controller owner reference set to itself`);
  }
  if (owner.blockOwnerDeletion === true) {
    refuse(`node "${node}" must not set blockOwnerDeletion on an owner reference`);
  }
  const { uid } = (await found(context, resources.nodes, { namespace: undefined, name: node })).metadata;
  if (owner.uid !== uid) refuse(`node ${node} UID mismatch: expected ${owner.uid} got ${uid}`);
  const reached = reachesApi(pod);
  if (reached !== undefined) refuse(`node "${node}" can not create pods that reference ${reached}`);
}

async function admitPod(node: string, request: AdmissionRequest, context: Context, refuse: Refuse): Promise<void> {
  const { operation, subresource } = request;
  const previous = request.previous as Pod | undefined;
  const isOwn = previous?.spec?.nodeName === node;
  if (subresource === "eviction") {
    if (!isOwn) refuse(`node ${node} can only evict pods with spec.nodeName set to itself`);
    return;
  }
  if (subresource === "status") {
    if (!isOwn) refuse(`node "${node}" can only update pod status for pods with spec.nodeName set to itself`);
    const next = request.next as Pod;
    if (!sameJson(next.metadata.labels ?? {}, previous?.metadata.labels ?? {})) {
      refuse(`node "${node}" cannot update labels through pod status`);
    }
    if (!sameJson(next.status?.resourceClaimStatuses ?? [], previous?.status?.resourceClaimStatuses ?? [])) {
      refuse(`node "${node}" cannot update resource claim statues`);
    }
    return;
  }
  if (subresource !== undefined) {
    refuse(`unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`);
  }
  if (operation === "create") return admitMirrorPod(node, request.next as Pod, context, refuse);
  if (operation === "update") {
    refuse(`unexpected operation "UPDATE", node "${node}" can only create and delete mirror pods`);
  }
  if (!isOwn) refuse(`node "${node}" can only delete pods with spec.nodeName set to itself`);
}

/** What a node says of a claim: how much there is, and how far a change of that has come. */
const CLAIM_FIELDS = ["capacity", "conditions", "allocatedResources", "allocatedResourceStatuses"] as const;

function admitClaim(node: string, { operation, subresource, next, previous }: AdmissionRequest, refuse: Refuse): void {
  if (subresource !== "status") refuse("may only update PVC status");
  if (operation !== "update") refuse(`unexpected operation "${operation.toUpperCase()}"`);
  const rest = (object: KubeObject | undefined): object => {
    const { metadata, spec, status } = object as PersistentVolumeClaim;
    const { managedFields: _m, resourceVersion: _r, ...meta } = metadata;
    const said = Object.entries(status ?? {}).filter(([field]) => !(CLAIM_FIELDS as readonly string[]).includes(field));
    return { meta, spec, status: Object.fromEntries(said) };
  };
  if (sameJson(rest(next), rest(previous))) return;
  refuse(`node "${node}" is not allowed to update fields other than status.quantity and status.conditions`);
}

function admitLease(node: string, request: AdmissionRequest, refuse: Refuse): void {
  if (request.namespace !== NODE_LEASES) refuse(`can only access leases in the "${NODE_LEASES}" system namespace`);
  const name = request.operation === "create" ? (request.next as Lease).metadata.name : request.name;
  if (name !== node) refuse("can only access node lease with the same name as the requesting node");
}

/** Whether a volume of the pod is a token for that audience; none is the API server itself. */
const isMountedFor = (pod: Pod, audience: string): boolean =>
  (pod.spec?.volumes ?? []).some(({ projected }) =>
    projected?.sources?.some(
      ({ serviceAccountToken: token }) => token !== undefined && (token.audience ?? "") === audience,
    ),
  );

/** Whether roles let the node ask for tokens for an audience that its pods do not name. */
function mayAskFor({ identity, namespace = "", name }: AdmissionRequest, context: Context, audience: string): boolean {
  const verb = "request-serviceaccounts-token-audience";
  const asked = { verb, group: "", version: "v1", resource: audience, subresource: "", namespace, name, path: "" };
  return context.authorizer.decide({ ...asked, identity }).verdict === "allow";
}

/** A node asks for tokens of its pods' ServiceAccounts alone, each bound to the pod it is for. */
async function admitToken(node: string, request: AdmissionRequest, context: Context, refuse: Refuse): Promise<void> {
  if (request.operation !== "create" || request.subresource !== "token") return;
  const ref = (request.next as unknown as TokenRequest).spec?.boundObjectRef;
  if (ref === undefined || ref.apiVersion !== "v1" || ref.kind !== "Pod" || !ref.name) {
    return refuse("node requested token not bound to a pod");
  }
  if (!ref.uid) refuse("node requested token with a pod binding without a uid");
  const pod = (await found(context, resources.pods, { namespace: request.namespace, name: ref.name })) as Pod;
  if (pod.metadata.uid !== ref.uid) {
    refuse(
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec?.nodeName !== node) {
    refuse("node requested token bound to a pod scheduled on a different node");
  }
  const { audiences = [] } = (request.next as unknown as TokenRequest).spec ?? {};
  if (audiences.length > 1) refuse("node may only request 0 or 1 audiences");
  const [audience = ""] = audiences;
  if (isMountedFor(pod, audience) || mayAskFor(request, context, audience)) return;
  refuse(
    `audience ${JSON.stringify(audience)} not found in pod spec volume, ${request.identity.user} is not authorized to request tokens for this audience`,
  );
}

/** Nodes write of themselves and of their own pods, and nothing by which they could get at more (Kubernetes' NodeRestriction). */
export const nodeRestriction: Admission = {
  name: "NodeRestriction",
  async admit(request, context) {
    const node = nodeOf(request.identity);
    if (node === undefined) return NOTHING_BESIDE;
    const { kind, name } = request;
    const refuse: Refuse = (why) => {
      throw forbiddenWrite(kind, name, why);
    };
    if (node === "") refuse(`could not determine node from user ${JSON.stringify(request.identity.user)}`);
    switch (`${kind.group}/${kind.plural}`) {
      case "/pods":
        await admitPod(node, request, context, refuse);
        break;
      case "/nodes":
        admitNode(node, request, refuse);
        break;
      case "/persistentvolumeclaims":
        admitClaim(node, request, refuse);
        break;
      case "/serviceaccounts":
        await admitToken(node, request, context, refuse);
        break;
      case "coordination.k8s.io/leases":
        admitLease(node, request, refuse);
        break;
      default:
    }
    return NOTHING_BESIDE;
  },
};
