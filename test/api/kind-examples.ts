import { decode } from "../../src/api/decode.ts";
import type { Kind } from "../../src/api/kind.ts";
import { kinds } from "../../src/api/kinds.ts";
import { apiVersionOf, type KubeObject } from "../../src/api/object.ts";

const POD = { spec: { containers: [{ name: "c", image: "i" }] } };
export const NOW = { now: "2026-01-01T00:00:00Z" };
const workload = { selector: { matchLabels: { app: "a" } }, template: { metadata: { labels: { app: "a" } }, ...POD } };
/** What each kind needs beside a name. */
const NEEDED: Record<string, object> = {
  Pod: POD,
  Deployment: { spec: workload },
  ReplicaSet: { spec: workload },
  StatefulSet: { spec: { ...workload, serviceName: "a" } },
  DaemonSet: { spec: workload },
  ControllerRevision: { data: {}, revision: 1 },
  Job: { spec: { template: { spec: { ...POD.spec, restartPolicy: "Never" } } } },
  ReplicationController: { spec: { template: workload.template } },
  PersistentVolumeClaim: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  PodDisruptionBudget: { spec: { minAvailable: 1, selector: workload.selector } },
  Service: { spec: { ports: [{ port: 80 }] } },
  EndpointSlice: { addressType: "IPv4" },
  Event: { involvedObject: { kind: "Pod", namespace: "default", name: "p" } },
  IPAddress: {
    metadata: { name: "10.96.0.7" },
    spec: { parentRef: { resource: "services", namespace: "a", name: "B" } },
  },
  ServiceCIDR: { spec: { cidrs: ["10.96.0.0/16"] } },
  Ingress: { spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } } },
  IngressClass: { spec: { controller: "example.com/ingress" } },
  ResourceQuota: { spec: { hard: { services: "3" } } },
  Namespace: { metadata: { name: "x" } },
  RoleBinding: { roleRef: { kind: "Role", name: "r" } },
  ClusterRoleBinding: { roleRef: { kind: "ClusterRole", name: "r" } },
};
export const kindOf = (name: string): Kind => kinds.find((kind) => kind.kind === name)!;
export const make = (kind: Kind, more: object = {}): KubeObject => {
  const metadata = { name: "x", ...(kind.namespaced ? { namespace: "default" } : {}) };
  const needed = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...NEEDED[kind.kind], ...more };
  return deepFreeze(decode(kind, JSON.parse(JSON.stringify(needed))).object);
};
export const created = (kind: Kind, more: object = {}): KubeObject =>
  deepFreeze(kind.prepareForCreate(deepFreeze(kind.defaults(make(kind, more))), NOW));
export const faultsOf = (name: string, more: object, previous?: object): string[] => {
  const kind = kindOf(name);
  const was = previous === undefined ? undefined : created(kind, previous);
  const next = kind.defaults(make(kind, more));
  return kind
    .validate(was === undefined ? kind.prepareForCreate(next, NOW) : kind.prepareForUpdate(next, was, NOW), was)
    .map((fault) => `${fault.reason.replace("FieldValue", "")} ${fault.field}`);
};

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

export const cidrs = (...list: string[]) => ({ spec: { cidrs: list } });
export const V4 = "10.96.0.0/16";
export const V6 = "fd00:10:96::/112";
