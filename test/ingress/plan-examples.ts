import type {
  ConfigMap,
  Endpoint,
  EndpointSlice,
  HTTPIngressPath,
  Ingress,
  IngressClass,
  IngressSpec,
  Secret,
  Service,
  ServiceSpec,
} from "../../src/api/generated/types.ts";
import { keyOf, type KubeObject } from "../../src/api/object.ts";
import type { Annotated } from "../../src/ingress/annotations/annotations.ts";
import { makeCertificate } from "../../src/ingress/tls/self-made.ts";
import { annotationsOf } from "../../src/ingress/annotations/read.ts";
import type { ClusterView } from "../../src/ingress/plan/view.ts";
import { planOf, type Planned, type PlannerOptions, type WatchedView } from "../../src/ingress/plan/planner.ts";

export const CONTROLLER = "fairlead.dev/ingress";

/** Objects of a cluster, as a view; changed at will. */
export class Cluster implements WatchedView {
  readonly #objects = new Map<string, KubeObject>();

  constructor(...objects: readonly KubeObject[]) {
    this.put(ingressClass("fairlead"), ...objects);
  }

  put(...objects: readonly KubeObject[]): void {
    for (const object of objects) this.#objects.set(`${object.kind} ${keyOf(object)}`, object);
  }

  remove(kind: string, key: string): void {
    this.#objects.delete(`${kind} ${key}`);
  }

  #get(kind: string, key: string): KubeObject | undefined {
    return this.#objects.get(`${kind} ${key}`);
  }

  #all<T extends KubeObject>(kind: string): T[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind) as T[];
  }

  ingresses = (): Ingress[] => this.#all("Ingress");
  ingress = (key: string): Ingress | undefined => this.#get("Ingress", key) as Ingress | undefined;
  classes = (): IngressClass[] => this.#all("IngressClass");
  service = (key: string): Service | undefined => this.#get("Service", key) as Service | undefined;
  secret = (key: string): Secret | undefined => this.#get("Secret", key) as Secret | undefined;
  configMap = (key: string): ConfigMap | undefined => this.#get("ConfigMap", key) as ConfigMap | undefined;
  slices = (key: string): EndpointSlice[] =>
    this.#all<EndpointSlice>("EndpointSlice").filter(
      ({ metadata }) => `${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"]}` === key,
    );
}

/** In tests an Ingress may say more than its annotations do: as JSON in one of its own. */
const SAYS = "says";
const annotations = (ingress: Ingress, view: ClusterView): Annotated => ({
  ...annotationsOf(ingress, view),
  ...(JSON.parse(ingress.metadata.annotations?.[SAYS] ?? "{}") as Partial<Annotated>),
});

export const options = (over: Partial<PlannerOptions> = {}): PlannerOptions => ({
  controller: CONTROLLER,
  withoutClass: false,
  annotations,
  tokensOf: (key) => [`token of ${key}`],
  defaultBackend: undefined,
  defaultCertificate: undefined,
  spareCertificate: undefined,
  ...over,
});

export const planned = (objects: readonly KubeObject[], over: Partial<PlannerOptions> = {}): Planned =>
  planOf(new Cluster(...objects), options(over));

export const ingressClass = (name: string, controller = CONTROLLER, isDefault = false): IngressClass => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: {
    name,
    ...(isDefault ? { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } } : {}),
  },
  spec: { controller },
});

export interface IngressExample {
  readonly name?: string;
  readonly namespace?: string;
  /** Seconds of its creation; 0. */
  readonly at?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly says?: Partial<Annotated>;
}

export function ingress(spec: IngressSpec, example: IngressExample = {}): Ingress {
  const { name = "web", namespace = "default", at = 0, annotations = {}, says } = example;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name,
      namespace,
      uid: `uid of ${namespace}/${name}`,
      creationTimestamp: new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString().replace(".000", ""),
      annotations: { ...annotations, ...(says === undefined ? {} : { [SAYS]: JSON.stringify(says) }) },
    },
    spec: { ingressClassName: "fairlead", ...spec },
  };
}

/** `Exact /foo web:80`; without a type Prefix, without a backend `web:80`. */
export function path(text: string): HTTPIngressPath {
  const words = text.split(" ");
  const pathType = /^[A-Z]/.test(words[0]!) ? words.shift()! : "Prefix";
  const [where = "/", what = "web:80"] = words;
  const [name = "", port = ""] = what.split(":");
  return {
    path: where,
    pathType,
    backend: { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } },
  };
}

/** A rule of paths as `path` has them. */
export const rule = (host: string, ...paths: readonly string[]) => ({
  ...(host === "" ? {} : { host }),
  http: { paths: paths.map(path) },
});

export const service = (name = "web", spec: ServiceSpec = {}, namespace = "default"): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, uid: `uid of ${namespace}/${name}` },
  spec: {
    type: "ClusterIP",
    clusterIP: "10.96.0.1",
    clusterIPs: ["10.96.0.1"],
    ipFamilies: ["IPv4"],
    ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }],
    ...spec,
  },
});

/** A pod at 10.244.0.N, ready unless it is said otherwise. */
export const pod = (number: number, conditions: Endpoint["conditions"] = { ready: true, serving: true }): Endpoint => ({
  addresses: [`10.244.0.${number}`],
  conditions,
  targetRef: { kind: "Pod", name: `web-${number}`, uid: `pod-${number}` },
});

export const slice = (
  endpoints: readonly Endpoint[],
  over: Partial<EndpointSlice> & { readonly name?: string; readonly of?: string; readonly namespace?: string } = {},
): EndpointSlice => {
  const { name = "web-1", of = "web", namespace = "default", ...rest } = over;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: [...endpoints],
    ...rest,
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": of }, ...rest.metadata },
  };
};

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export const secret = (name: string, data: Readonly<Record<string, string>>, type = "kubernetes.io/tls"): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  type,
  metadata: { name, namespace: "default", uid: `uid of ${name}` },
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
});

/** A Secret with a certificate for these names. */
export async function tlsSecret(name: string, ...names: readonly string[]): Promise<Secret> {
  const { chain, key } = await makeCertificate(Date.now(), names, names[0]);
  return secret(name, { "tls.crt": chain, "tls.key": key });
}
