import { clusterRole } from "./clusterRole/clusterRole.ts";
import { clusterRoleBinding } from "./clusterRoleBinding/clusterRoleBinding.ts";
import { configMap } from "./configMap/configMap.ts";
import { controllerRevision } from "./controllerRevision/controllerRevision.ts";
import { daemonSet } from "./daemonSet/daemonSet.ts";
import { deployment } from "./deployment/deployment.ts";
import { endpoints } from "./endpoints/endpoints.ts";
import { endpointSlice } from "./endpointSlice/endpointSlice.ts";
import { event } from "./event/event.ts";
import { ingress } from "./ingress/ingress.ts";
import { ingressClass } from "./ingressClass/ingressClass.ts";
import { ipAddress } from "./ipAddress/ipAddress.ts";
import { job } from "./job/job.ts";
import type { Kind } from "./kind.ts";
import { lease } from "./lease/lease.ts";
import { namespace } from "./namespace/namespace.ts";
import { node } from "./node/node.ts";
import { persistentVolumeClaim } from "./persistentVolumeClaim/persistentVolumeClaim.ts";
import { pod } from "./pod/pod.ts";
import { podDisruptionBudget } from "./podDisruptionBudget/podDisruptionBudget.ts";
import { replicaSet } from "./replicaSet/replicaSet.ts";
import { replicationController } from "./replicationController/replicationController.ts";
import { resourceQuota } from "./resourceQuota/resourceQuota.ts";
import { role } from "./role/role.ts";
import { roleBinding } from "./roleBinding/roleBinding.ts";
import { secret } from "./secret/secret.ts";
import { service } from "./service/service.ts";
import { serviceAccount } from "./serviceAccount/serviceAccount.ts";
import { serviceCIDR } from "./serviceCIDR/serviceCIDR.ts";
import { statefulSet } from "./statefulSet/statefulSet.ts";

/** Every kind the API server serves. Core kinds come first, in the order discovery lists them. */
export const kinds: readonly Kind[] = [
  configMap,
  endpoints,
  event,
  namespace,
  node,
  persistentVolumeClaim,
  pod,
  replicationController,
  resourceQuota,
  secret,
  serviceAccount,
  service,
  controllerRevision,
  daemonSet,
  deployment,
  replicaSet,
  statefulSet,
  job,
  lease,
  endpointSlice,
  ingressClass,
  ingress,
  ipAddress,
  serviceCIDR,
  podDisruptionBudget,
  clusterRoleBinding,
  clusterRole,
  roleBinding,
  role,
];
