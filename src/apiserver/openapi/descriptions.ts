import { workloadDescriptions } from "./workload-descriptions.ts";

/**
 * What `kubectl explain` says, in our own words: by type, then by field; `""` is the type itself. Types and fields that are not here
 * are described by their names alone.
 */
const descriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...workloadDescriptions,
  ClientIPConfig: {
    "": "How affinity by client address works.",
    timeoutSeconds: "Seconds for which a client stays with its endpoint: 1 to 86400. 10800 unless said otherwise.",
  },
  Condition: {
    "": "One aspect of an object's state, as it was last judged.",
    lastTransitionTime: "When the status last changed.",
    message: "What happened, for people. May be empty.",
    observedGeneration: "The metadata.generation that was looked at for this judgement.",
    reason: "Why the status is what it is: one word in CamelCase, for programs.",
    status: "True, False or Unknown.",
    type: "Which aspect this is about, in CamelCase.",
  },
  ConfigMap: {
    "": "Settings for pods, by key. Not for secrets.",
    binaryData: "Values that are no UTF-8 text, in base64. No key may also be in data.",
    data: "Values that are text.",
    immutable: "When true, the data can no longer be changed, and neither can this field.",
  },
  CoreEndpointPort: {
    "": "A port of the addresses of a subset.",
    appProtocol: "The protocol spoken on top of the port's own, such as kubernetes.io/h2c.",
    name: "The name of the Service's port. May be left out only when there is a single port.",
    port: "The port number.",
    protocol: "TCP, UDP or SCTP. TCP unless said otherwise.",
  },
  DeleteOptions: {
    "": "How an object is deleted.",
    dryRun: "All: everything is done but the deletion itself.",
    gracePeriodSeconds: "Seconds the object has to end well. 0 deletes it at once.",
    ignoreStoreReadErrorWithClusterBreakingPotential: "Deletes even what cannot be read from the store.",
    orphanDependents: "An older way to say propagationPolicy: true is Orphan.",
    preconditions: "What must be true of the object, else it is not deleted.",
    propagationPolicy: "What becomes of objects that this one owns: Orphan, Background or Foreground.",
  },
  Endpoint: {
    "": "One backend of a Service: a set of addresses that are reached alike.",
    addresses: "Its addresses, all of the slice's address type. Programs use the first one.",
    conditions: "Whether it takes traffic.",
    deprecatedTopology: "Labels of where it runs, as the v1beta1 API had them. Read only.",
    hints: "Who should prefer this endpoint.",
    hostname: "Its host name, which gives it a DNS name of its own below the Service's.",
    nodeName: "The node it runs on.",
    targetRef: "The object behind it, usually a Pod.",
    zone: "The zone it is in.",
  },
  EndpointAddress: {
    "": "One address of a backend.",
    hostname: "The host name of this backend.",
    ip: "The IP address. Neither loopback nor link-local.",
    nodeName: "The node it runs on.",
    targetRef: "The object behind it, usually a Pod.",
  },
  EndpointConditions: {
    "": "The state of an endpoint.",
    ready:
      "Whether it takes new connections. Never true while it terminates, unless the Service publishes addresses that are not ready.",
    serving: "Like ready, but looks away from termination.",
    terminating: "Whether it is being shut down.",
  },
  EndpointHints: {
    "": "Advice on who should use an endpoint.",
    forNodes: "Nodes that should prefer it.",
    forZones: "Zones that should prefer it.",
  },
  EndpointPort: {
    "": "A port of every endpoint of a slice.",
    appProtocol: "The protocol spoken on top of the port's own, such as kubernetes.io/h2c.",
    name: "The name of the Service's port. Empty, or a DNS label that is unique within the slice.",
    port: "The port number. Without one, the reader decides what that means.",
    protocol: "TCP, UDP or SCTP. TCP unless said otherwise.",
  },
  EndpointSlice: {
    "": "Some of the endpoints of a Service. All slices with the label kubernetes.io/service-name of one value make up that Service's endpoints.",
    addressType: "What kind of addresses all endpoints have: IPv4, IPv6 or FQDN. Cannot be changed.",
    endpoints: "Up to 1000 endpoints.",
    ports: "Up to 100 ports, which all endpoints have.",
  },
  EndpointSubset: {
    "": "Addresses that share a set of ports. The backends are every address with every port.",
    addresses: "Addresses that are ready for traffic.",
    notReadyAddresses: "Addresses that are not ready, because they start or a readiness probe failed.",
    ports: "The ports of the addresses.",
  },
  Endpoints: {
    "": "All endpoints of a Service of the same name. Replaced by EndpointSlice; kept for clients that do not read those.",
    subsets: "The endpoints, grouped by their ports.",
  },
  ForNode: { "": "A node that should prefer an endpoint.", name: "The node's name." },
  ForZone: { "": "A zone that should prefer an endpoint.", name: "The zone's name." },
  HTTPIngressPath: {
    "": "A path of a host and where its requests go.",
    backend: "Where requests that match go.",
    path: "The path to match, beginning with a slash. Must be there for Exact and Prefix.",
    pathType:
      "How the path matches. Exact: the whole path; Prefix: whole path elements from its start; ImplementationSpecific: as the class decides.",
  },
  HTTPIngressRuleValue: { "": "The paths of a host.", paths: "Paths, each with its backend." },
  IPAddress: {
    "": "An IP address that is taken. Its name is the address in canonical form.",
    spec: "Who took the address.",
  },
  IPAddressSpec: { "": "Who took an address.", parentRef: "The object that holds the address. Must be there." },
  Ingress: {
    "": "Rules by which HTTP requests from outside reach Services.",
    spec: "What is wanted.",
    status: "What is.",
  },
  IngressBackend: {
    "": "Where requests go: to a Service or to another resource, never both.",
    resource: "An object of the same namespace other than a Service.",
    service: "A Service of the same namespace.",
  },
  IngressClass: {
    "": "A kind of Ingress and who carries it. With the annotation ingressclass.kubernetes.io/is-default-class it is taken by Ingresses that name none.",
    spec: "What is wanted.",
  },
  IngressClassParametersReference: {
    "": "An object with further settings of a class.",
    apiGroup: "The object's API group. Empty is the core group.",
    kind: "The object's kind.",
    name: "The object's name.",
    namespace: "The object's namespace. Must be there with scope Namespace and nowhere else.",
    scope: "Cluster or Namespace.",
  },
  IngressClassSpec: {
    "": "Who carries the Ingresses of a class.",
    controller: "The controller's name: a domain and a path, such as example.com/ingress. Cannot be changed.",
    parameters: "An object with further settings.",
  },
  IngressLoadBalancerIngress: {
    "": "A point where an Ingress can be reached.",
    hostname: "Its host name.",
    ip: "Its IP address.",
    ports: "What is known of its ports.",
  },
  IngressLoadBalancerStatus: { "": "Where an Ingress can be reached.", ingress: "The points where it can be reached." },
  IngressPortStatus: {
    "": "The state of a port of a load balancer.",
    error: "Why the port does not work.",
    port: "The port number.",
    protocol: "TCP, UDP or SCTP.",
  },
  IngressRule: {
    "": "What becomes of the requests for one host.",
    host: "The host name; its first label may be *. Without one the rule is for all hosts.",
    http: "The paths of the host.",
  },
  IngressServiceBackend: {
    "": "A port of a Service.",
    name: "The Service's name.",
    port: "The Service's port, by name or by number.",
  },
  IngressSpec: {
    "": "The rules of an Ingress.",
    defaultBackend: "Where requests go that no rule matches. Must be there when there are no rules.",
    ingressClassName: "The IngressClass whose controller carries this Ingress.",
    rules: "Rules by host.",
    tls: "Certificates by host, all on port 443.",
  },
  IngressStatus: { "": "The state of an Ingress.", loadBalancer: "Where it can be reached." },
  IngressTLS: {
    "": "A certificate for some hosts.",
    hosts: "The hosts that the certificate is for.",
    secretName: "The Secret with the certificate and its key. Without one, TLS is left to the server name alone.",
  },
  LabelSelector: {
    "": "Selects objects by their labels. All that is said must be true; an empty selector selects everything.",
    matchExpressions: "Requirements on labels.",
    matchLabels: "Labels with the values they must have.",
  },
  LabelSelectorRequirement: {
    "": "A requirement on one label.",
    key: "The label's key.",
    operator: "In, NotIn, Exists or DoesNotExist.",
    values: "The values for In and NotIn; empty for Exists and DoesNotExist.",
  },
  ListMeta: {
    "": "What lists say of themselves.",
    continue: "A token to ask for the next page with. Empty on the last one.",
    remainingItemCount: "How many items follow. Unknown with selectors.",
    resourceVersion: "The revision at which the list was read, from which a watch can go on.",
    selfLink: "No longer filled.",
    shardInfo: "Which part of the collection this is, when a part was asked for.",
  },
  LoadBalancerIngress: {
    "": "A point where a load balancer takes traffic.",
    hostname: "Its host name.",
    ip: "Its IP address.",
    ipMode:
      "VIP: packets arrive with this address as their destination. Proxy: they arrive with the node's or the pod's.",
    ports: "What is known of its ports.",
  },
  LoadBalancerStatus: { "": "The state of a load balancer.", ingress: "The points where it takes traffic." },
  ManagedFieldsEntry: {
    "": "Which fields one writer owns.",
    apiVersion: "The API version that the fields are of.",
    fieldsType: "The format of the fields: FieldsV1.",
    fieldsV1: "The set of the fields.",
    manager: "The writer's name.",
    operation: "Apply or Update.",
    subresource: "The subresource that was written through; empty for the object itself.",
    time: "When the entry last changed.",
  },
  ObjectMeta: {
    "": "What every object has, whatever its kind.",
    annotations: "Texts by key for programs and people. They select nothing.",
    creationTimestamp: "When the object was made. Filled by the server.",
    deletionGracePeriodSeconds:
      "Seconds the object has to end well once its deletion was asked for. Filled by the server.",
    deletionTimestamp:
      "When the object is to be gone. Set by the server when its deletion was asked for and it does not go at once.",
    finalizers: "Names of those who have something to do before the object may go. It stays until the list is empty.",
    generateName: "The beginning of a name of which the server makes a unique one, when there is no name.",
    generation: "Counts the changes of what is wanted. Filled by the server.",
    labels: "Short texts by key, by which objects are selected.",
    managedFields: "Who owns which fields. Filled by the server.",
    name: "The object's name, unique among its kind in its namespace. Cannot be changed.",
    namespace: "The namespace the object is in. Empty for kinds of the whole cluster. Cannot be changed.",
    ownerReferences: "Objects that this one belongs to. It goes when all of them are gone.",
    resourceVersion: "The revision of this object's last change. A write that names an older one is refused.",
    selfLink: "No longer filled.",
    uid: "Tells this object from all others that ever had its name. Filled by the server.",
  },
  ObjectReference: {
    "": "Names another object, or a part of it.",
    apiVersion: "The object's API version.",
    fieldPath: "The part that is meant, such as spec.containers{name}.",
    kind: "The object's kind.",
    name: "The object's name.",
    namespace: "The object's namespace.",
    resourceVersion: "The object's revision.",
    uid: "The object's UID.",
  },
  OwnerReference: {
    "": "Names an owner in the same namespace, or one of the whole cluster.",
    apiVersion: "The owner's API version.",
    blockOwnerDeletion: "Whether the owner stays until this object is gone, when deleted in the foreground.",
    controller: "Whether the owner manages this object. At most one owner does.",
    kind: "The owner's kind.",
    name: "The owner's name.",
    uid: "The owner's UID.",
  },
  ParentReference: {
    "": "Names the object that holds an address.",
    group: "Its API group. Empty is the core group.",
    name: "Its name.",
    namespace: "Its namespace.",
    resource: "Its resource, such as services.",
  },
  PortStatus: {
    "": "The state of a port of a load balancer.",
    error: "Why the port does not work.",
    port: "The port number.",
    protocol: "TCP, UDP or SCTP.",
  },
  Preconditions: {
    "": "What must be true of an object before it is deleted.",
    resourceVersion: "The revision it must have.",
    uid: "The UID it must have.",
  },
  Service: {
    "": "A stable address and name in front of pods that come and go.",
    spec: "What is wanted.",
    status: "What is. Filled by the server and by load balancers.",
  },
  ServiceBackendPort: {
    "": "A port of a Service: by name or by number, never both.",
    name: "The port's name.",
    number: "The port's number.",
  },
  ServiceCIDR: {
    "": "A range of addresses that Services get their cluster addresses from.",
    spec: "The range.",
    status: "Its state.",
  },
  ServiceCIDRSpec: {
    "": "A range of cluster addresses.",
    cidrs: "One range, or one of each IP family. Cannot be changed.",
  },
  ServiceCIDRStatus: { "": "The state of a range.", conditions: "Ready says whether addresses are given out from it." },
  ServicePort: {
    "": "A port of a Service.",
    appProtocol:
      "The protocol spoken on top of the port's own: a name from IANA, or one with a domain such as kubernetes.io/h2c.",
    name: "The port's name: a DNS label, unique within the Service. May be left out when there is only one port.",
    nodePort:
      "The port on every node, for types NodePort and LoadBalancer. Taken from the server's range when left out.",
    port: "The port on the Service's addresses.",
    protocol: "TCP, UDP or SCTP. TCP unless said otherwise.",
    targetPort:
      "The port on the pods: a number, or the name of a container's port. The same as port unless said otherwise.",
  },
  ServiceSpec: {
    "": "What is wanted of a Service.",
    allocateLoadBalancerNodePorts: "Whether a LoadBalancer's ports get node ports. True unless said otherwise.",
    clusterIP:
      "The Service's address in the cluster, the first of clusterIPs. None makes it headless; taken from the range when left out.",
    clusterIPs: "The Service's addresses in the cluster, at most one of each IP family; the first is clusterIP.",
    externalIPs:
      "Further addresses at which nodes take traffic for this Service. That packets to them reach a node is not Kubernetes' affair.",
    externalName: "The name that the Service is an alias of in DNS, for type ExternalName: a host name in lower case.",
    externalTrafficPolicy:
      "Where traffic from outside goes. Cluster: to any endpoint. Local: to endpoints of the node it came to, with the client's address kept; dropped when there are none.",
    healthCheckNodePort:
      "The node port at which a load balancer asks whether a node has endpoints, for type LoadBalancer with externalTrafficPolicy Local. Cannot be changed.",
    internalTrafficPolicy:
      "Where traffic from within the cluster goes. Cluster: to any endpoint. Local: to endpoints of the client's node only.",
    ipFamilies:
      "IPv4, IPv6 or both, in the order of clusterIPs. The second may be added and removed, the first never changes.",
    ipFamilyPolicy: "SingleStack, PreferDualStack or RequireDualStack. SingleStack unless said otherwise.",
    loadBalancerClass:
      "Whose load balancer this is for, such as example.com/balancer. Set when the type becomes LoadBalancer, and not changed after.",
    loadBalancerIP: "The address wished for from the load balancer. Deprecated: not every one heeds it.",
    loadBalancerSourceRanges: "CIDRs from which the load balancer takes traffic. From everywhere when empty.",
    ports: "The ports of the Service.",
    publishNotReadyAddresses: "Whether pods that are not ready count as ready, in DNS and in endpoints.",
    selector: "Labels of the pods behind the Service. Without one, endpoints are made by somebody else.",
    sessionAffinity:
      "ClientIP keeps a client's connections at one endpoint; None does not. None unless said otherwise.",
    sessionAffinityConfig: "How session affinity works.",
    trafficDistribution:
      "Which endpoints are preferred: PreferSameZone, PreferSameNode, or PreferClose, an older word for the first.",
    type: "How the Service is reached. ClusterIP: within the cluster; NodePort: at a port of every node too; LoadBalancer: by a load balancer too; ExternalName: as an alias in DNS alone.",
  },
  ServiceStatus: {
    "": "The state of a Service.",
    conditions: "Aspects of its state.",
    loadBalancer: "The load balancer of the Service, when it has one.",
  },
  SessionAffinityConfig: { "": "How session affinity works.", clientIP: "Settings of affinity by client address." },
  Status: {
    "": "How a request ended, when it has no object to answer with.",
    code: "The HTTP code.",
    details: "More for programs.",
    message: "What happened, for people.",
    reason: "Why it failed, in one word.",
    status: "Success or Failure.",
  },
  StatusCause: {
    "": "One cause of a failure.",
    field: "The field that is at fault, such as spec.ports[0].port.",
    message: "What is wrong, for people.",
    reason: "What is wrong, in one word.",
  },
  StatusDetails: {
    "": "More about how a request ended.",
    causes: "Every cause of the failure.",
    group: "The API group of the object.",
    kind: "The kind or the resource of the object.",
    name: "The name of the object.",
    retryAfterSeconds: "Seconds to wait before the request is made again.",
    uid: "The UID of the object.",
  },
  TypedLocalObjectReference: {
    "": "Names an object of the same namespace.",
    apiGroup: "Its API group. Empty is the core group.",
    kind: "Its kind.",
    name: "Its name.",
  },
};

/** What fields of these names are wherever they stand. */
const everywhere: Readonly<Record<string, string>> = {
  apiVersion: "The version of the API that this object is written in, such as v1 or discovery.k8s.io/v1.",
  kind: "What this object is, such as Service.",
  metadata: "The object's name, labels and the like.",
  spec: "What is wanted.",
  status: "What is. Filled by the server.",
};

/** `image pull policy` of `imagePullPolicy`. */
const words = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(" ")
    .map((word) => (/^[A-Z][a-z]/.test(word) ? word.toLowerCase() : word))
    .join(" ");

/** What a type is. */
export const describeType = (type: string): string => descriptions[type]?.[""] ?? `A ${words(type)}.`;

/** What a field is. */
export const describeField = (type: string, field: string): string =>
  descriptions[type]?.[field] ?? everywhere[field] ?? `The ${words(field)} of a ${words(type)}.`;
