import type { Service, ServiceSpec } from "../generated/types.ts";

/** `clusterIP: None`: the name answers with the pods' own addresses. */
export const HEADLESS = "None";

export const isHeadless = ({ spec }: Service): boolean =>
  spec?.clusterIPs?.length ? spec.clusterIPs[0] === HEADLESS : spec?.clusterIP === HEADLESS;

/** As `isHeadless`, for a spec whose `clusterIPs` must be right by now: `None` and nothing else. */
export const isHeadlessSpec = ({ clusterIPs }: ServiceSpec): boolean =>
  clusterIPs?.length === 1 && clusterIPs[0] === HEADLESS;

/** All but an alias do; an unknown type too, because validation comes after the allocation (SVC-107). */
export const needsClusterIP = ({ spec }: Service): boolean => spec?.type !== "ExternalName";

/** Whether traffic from within the cluster has a policy. Aliases may have one too, for historical reasons (SVC-091). */
export const needsInternalTrafficPolicy = ({ spec }: Service): boolean =>
  spec?.type === "ClusterIP" || spec?.type === "NodePort" || spec?.type === "LoadBalancer";

/** Whether its ports may carry node ports, given or allocated. */
export const mayHaveNodePorts = ({ spec }: Service): boolean =>
  spec?.type === "NodePort" || spec?.type === "LoadBalancer";

/** Whether ports without a node port are given one: a LoadBalancer can say no (SVC-156). */
export const needsNodePorts = (service: Service): boolean =>
  service.spec?.type === "NodePort" ||
  (service.spec?.type === "LoadBalancer" && service.spec.allocateLoadBalancerNodePorts !== false);

/** Whether a port of its own tells load balancers which nodes have local endpoints (SVC-160). */
export const needsHealthCheckNodePort = ({ spec }: Service): boolean =>
  spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** Whether traffic from outside the cluster can reach it, so that `externalTrafficPolicy` means something. */
export const isExternallyAccessible = (service: Service): boolean =>
  mayHaveNodePorts(service) || (service.spec?.type === "ClusterIP" && (service.spec.externalIPs?.length ?? 0) > 0);
