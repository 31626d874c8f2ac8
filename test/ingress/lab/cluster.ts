import type {
  ConfigMap,
  Endpoint,
  EndpointSlice,
  Ingress,
  IngressClass,
  IngressRule,
  IngressTLS,
  Secret,
  Service,
  ServicePort,
} from "../../../src/api/generated/types.ts";
import { word, type Word } from "../../../src/ingress/plan/changes.ts";
import type { WatchedView } from "../../../src/ingress/plan/planner.ts";
import type { PodSpecification } from "./behaviour.ts";
import type { Pair } from "./certificates.ts";

export const CONTROLLER = "fairlead.dev/ingress";
export const NGINX = "nginx.ingress.kubernetes.io/";

/** Annotations of ingress-nginx by their names without what all begin with. */
export const nginx = (annotations: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`${NGINX}${name}`, value]));

export type PathType = "Exact" | "Prefix" | "ImplementationSpecific";

/** One path of a rule: `service` is its name, with `:port` where that is not `http`. */
export interface PathChoice {
  /** Absent: the rule is for any host. */
  readonly host?: string;
  /** `/` unless given. */
  readonly path?: string;
  /** `Prefix` unless given. */
  readonly type?: PathType;
  readonly service: string;
}

export interface IngressChoices {
  readonly namespace?: string;
  /** `null`: it says none. */
  readonly className?: string | null;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Names of `nginx.ingress.kubernetes.io/` without that. */
  readonly nginx?: Readonly<Record<string, string>>;
  readonly paths?: readonly PathChoice[];
  /** Hosts with a rule that has no paths. */
  readonly bareHosts?: readonly string[];
  readonly tls?: readonly IngressTLS[];
  readonly defaultBackend?: string;
  /** Seconds since the cluster's beginning; each one made is later than those before. */
  readonly created?: number;
}

/** An endpoint of a Service, besides where it is. */
export interface EndpointChoices {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

/** Objects as their users wrote them, and the view that the controller has of them. */
export interface Cluster {
  readonly view: WatchedView;
  /** What changed since this was asked last. */
  changes(): readonly Word[];
  ingress(name: string, choices: IngressChoices): Ingress;
  /** A Service with port 80, `http`, to the port of its pods, and a slice of them. Called again it replaces the slice. */
  service(
    name: string,
    pods: readonly (PodSpecification & EndpointChoices)[],
    choices?: { readonly namespace?: string; readonly spec?: Partial<NonNullable<Service["spec"]>> },
  ): Service;
  /** Only the slice of a Service: pods have come or gone. */
  endpoints(name: string, pods: readonly (PodSpecification & EndpointChoices)[], namespace?: string): void;
  secret(name: string, data: Readonly<Record<string, string>>, choices?: { namespace?: string; type?: string }): Secret;
  /** A Secret of type `kubernetes.io/tls`. */
  tlsSecret(name: string, pair: Pair, namespace?: string): Secret;
  configMap(name: string, data: Readonly<Record<string, string>>, namespace?: string): ConfigMap;
  ingressClass(name: string, choices?: { readonly controller?: string; readonly isDefault?: boolean }): IngressClass;
  /** An object as it is, for what the others do not say. */
  put(object: Known): void;
  remove(kind: Known["kind"], key: string): void;
}

type Known = Ingress | IngressClass | Service | EndpointSlice | Secret | ConfigMap;

/** By what plans know of the change of an object. */
function wordOf(object: Known, key: string): Word {
  switch (object.kind) {
    case "Ingress":
      return word.ingress(key);
    case "IngressClass":
      return word.class(key);
    case "Service":
      return word.service(key);
    case "EndpointSlice":
      return word.slices(`${object.metadata.namespace}/${object.metadata.labels?.["kubernetes.io/service-name"]}`);
    case "Secret":
      return word.secret(key);
    case "ConfigMap":
      return word.configMap(key);
  }
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const SPACE = "default";
/** The cluster began then. */
const BEGINNING = Date.parse("2026-01-01T00:00:00Z");

const backendOf = (text: string): { service: { name: string; port: { name?: string; number?: number } } } => {
  const [name = "", port = "http"] = text.split(":");
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } };
};

function rulesOf({ paths = [], bareHosts = [] }: IngressChoices): IngressRule[] {
  const rules = new Map<string | undefined, IngressRule>();
  for (const { host, path = "/", type = "Prefix", service } of paths) {
    const rule = rules.get(host) ?? { ...(host === undefined ? {} : { host }), http: { paths: [] } };
    rules.set(host, rule);
    rule.http!.paths.push({ path, pathType: type, backend: backendOf(service) });
  }
  return [...rules.values(), ...bareHosts.map((host) => ({ host }))];
}

const endpointOf = (pod: PodSpecification & EndpointChoices, namespace: string): Endpoint => {
  const terminating = pod.terminating ?? false;
  return {
    addresses: [pod.address],
    conditions: {
      ready: pod.ready ?? !terminating,
      serving: pod.serving ?? pod.ready ?? true,
      terminating,
    },
    targetRef: { kind: "Pod", name: pod.name, namespace, uid: pod.uid },
  };
};

/** A cluster with one class, `fairlead`, which is not the default. */
export function createCluster(): Cluster {
  const kinds = new Map<string, Map<string, unknown>>();
  const all = <T>(kind: string): Map<string, T> => {
    const found = kinds.get(kind) ?? new Map<string, unknown>();
    kinds.set(kind, found);
    return found as Map<string, T>;
  };
  let revision = 0;
  const changed = new Set<Word>();
  const put: Cluster["put"] = (object) => {
    const { namespace, name } = object.metadata;
    const key = namespace === undefined ? name! : `${namespace}/${name}`;
    revision += 1;
    const objects = all<typeof object>(object.kind);
    const before = objects.get(key);
    const metadata = {
      uid: before?.metadata.uid ?? `00000000-0000-4000-9000-${revision.toString(16).padStart(12, "0")}`,
      creationTimestamp: before?.metadata.creationTimestamp ?? new Date(BEGINNING + revision * 1000).toISOString(),
      ...object.metadata,
      resourceVersion: `${revision}`,
    };
    objects.set(key, { ...object, metadata });
    changed.add(wordOf(object, key));
  };

  const cluster: Cluster = {
    put,
    remove(kind, key) {
      const object = all<Known>(kind).get(key);
      if (object === undefined) throw new Error(`there is no ${kind} ${key} to be removed`);
      all(kind).delete(key);
      changed.add(wordOf(object, key));
    },
    changes() {
      const words = [...changed];
      changed.clear();
      return words;
    },
    view: {
      ingress: (key) => all<Ingress>("Ingress").get(key),
      ingresses: () => all<Ingress>("Ingress").values(),
      classes: () => all<IngressClass>("IngressClass").values(),
      service: (key) => all<Service>("Service").get(key),
      slices: (service) =>
        [...all<EndpointSlice>("EndpointSlice").values()].filter(
          ({ metadata: { namespace, labels } }) => `${namespace}/${labels?.["kubernetes.io/service-name"]}` === service,
        ),
      secret: (key) => all<Secret>("Secret").get(key),
      configMap: (key) => all<ConfigMap>("ConfigMap").get(key),
    },
    ingress(name, choices) {
      const { namespace = SPACE, className = "fairlead", annotations = {}, tls, defaultBackend, created } = choices;
      const object: Ingress = {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: {
          name,
          namespace,
          annotations: { ...annotations, ...nginx(choices.nginx ?? {}) },
          ...(created === undefined ? {} : { creationTimestamp: new Date(BEGINNING + created * 1000).toISOString() }),
        },
        spec: {
          ...(className === null ? {} : { ingressClassName: className }),
          ...(defaultBackend === undefined ? {} : { defaultBackend: backendOf(defaultBackend) }),
          ...(tls === undefined ? {} : { tls: [...tls] }),
          rules: rulesOf(choices),
        },
      };
      put(object);
      return object;
    },
    service(name, pods, { namespace = SPACE, spec = {} } = {}) {
      const ports: ServicePort[] = [{ name: "http", port: 80, protocol: "TCP", targetPort: pods[0]?.port ?? 8080 }];
      const object: Service = {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace },
        spec: { type: "ClusterIP", clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"], ports, ...spec },
      };
      put(object);
      if (spec.type !== "ExternalName") cluster.endpoints(name, pods, namespace);
      return object;
    },
    endpoints(name, pods, namespace = SPACE) {
      const service = all<Service>("Service").get(`${namespace}/${name}`);
      put({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        addressType: pods[0]?.address.includes(":") === true ? "IPv6" : "IPv4",
        metadata: { name: `${name}-1`, namespace, labels: { "kubernetes.io/service-name": name } },
        endpoints: pods.map((pod) => endpointOf(pod, namespace)),
        ports: (service?.spec?.ports ?? []).map((port) => ({
          ...(port.name === undefined ? {} : { name: port.name }),
          port: typeof port.targetPort === "number" ? port.targetPort : (pods[0]?.port ?? 8080),
          protocol: "TCP",
          ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
        })),
      });
    },
    secret(name, data, { namespace = SPACE, type = "Opaque" } = {}) {
      const object: Secret = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace },
        type,
        data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
      };
      put(object);
      return object;
    },
    tlsSecret: (name, { certificate, key }, namespace = SPACE) =>
      cluster.secret(name, { "tls.crt": certificate, "tls.key": key }, { namespace, type: "kubernetes.io/tls" }),
    configMap(name, data, namespace = SPACE) {
      const object: ConfigMap = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace },
        data: { ...data },
      };
      put(object);
      return object;
    },
    ingressClass(name, { controller = CONTROLLER, isDefault = false } = {}) {
      const object: IngressClass = {
        apiVersion: "networking.k8s.io/v1",
        kind: "IngressClass",
        metadata: {
          name,
          annotations: isDefault ? { "ingressclass.kubernetes.io/is-default-class": "true" } : {},
        },
        spec: { controller },
      };
      put(object);
      return object;
    },
  };
  cluster.ingressClass("fairlead");
  return cluster;
}
