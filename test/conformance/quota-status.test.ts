import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Answered, type Subject } from "./subject.ts";

/** Who counts is a controller, upstream kube-controller-manager. */
const skip =
  isFairlead || process.env["KUBE_CONTROLLER_MANAGER"] !== undefined
    ? false
    : "KUBE_CONTROLLER_MANAGER should name a kube-controller-manager";

let subject: Subject;
before(async () => {
  if (skip === false) subject = await startSubject({ controllers: true });
});
after(() => subject?.close());

let made = 0;
const newNamespace = async (): Promise<string> => {
  const name = `n${(made += 1)}`;
  assert.equal((await subject.ask("POST", "/api/v1/namespaces", { metadata: { name } })).code, 201);
  return name;
};
const rootOf = (namespace: string): string => `/api/v1/namespaces/${namespace}`;
const create = async (path: string, object: object): Promise<Answered> => {
  const answered = await subject.ask("POST", path, object);
  assert.equal(answered.code, 201, answered.text);
  return answered;
};
const quotaPath = (namespace: string): string => `${rootOf(namespace)}/resourcequotas/q`;
const createQuota = (namespace: string, spec: object): Promise<Answered> =>
  create(`${rootOf(namespace)}/resourcequotas`, { metadata: { name: "q" }, spec });
/** Waits until the status says this. */
async function untilStatus(namespace: string, status: object): Promise<void> {
  let last: unknown;
  const isThere = async (): Promise<boolean> => {
    last = (await subject.ask("GET", quotaPath(namespace))).body.status;
    return JSON.stringify(sorted(last)) === JSON.stringify(sorted(status));
  };
  await until(`the quota of ${namespace} to be counted`, isThere).catch(() => assert.deepEqual(last, status));
}
const sorted = (value: unknown): unknown =>
  typeof value === "object" && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([key, inner]) => [key, sorted(inner)]),
      )
    : value;

const ports = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `p${index}`, port: index + 1 }));
const service = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { ports: ports(2), ...spec } });
const ingress = (name: string) => ({ metadata: { name }, spec: { rules: [{ host: "a.example" }] } });
const pod = (name: string, more: object = {}) => ({
  metadata: { name },
  spec: {
    containers: [
      { name: "c", image: "i", resources: { requests: { cpu: "250m", memory: "64Mi" }, limits: { cpu: "1" } } },
    ],
    nodeSelector: { no: "where" },
    ...more,
  },
});

void test("SVC-305, SVC-306: a new quota is counted, whatever was there before it", { skip }, async () => {
  const namespace = await newNamespace();
  const root = rootOf(namespace);
  await create(`${root}/services`, service("a"));
  await create(`${root}/services`, service("b", { type: "NodePort" }));
  await create(`${root}/services`, service("c", { type: "LoadBalancer" }));
  await create(`${root}/services`, service("d", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false }));
  await create(`${root}/secrets`, { metadata: { name: "s" } });
  await create(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, ingress("i"));
  await create(`${root}/pods`, pod("p"));
  const hard = {
    services: "9",
    "count/services": "9",
    "services.nodeports": "9",
    "services.loadbalancers": "1",
    secrets: "9",
    "count/secrets": "9",
    "count/ingresses.networking.k8s.io": "9",
    "count/leases.coordination.k8s.io": "9",
    resourcequotas: "9",
    "count/resourcequotas": "9",
    pods: "9",
    "count/pods": "9",
    cpu: "9",
    "requests.memory": "9Gi",
    "limits.cpu": "9",
    "limits.memory": "9Gi",
    "requests.example.com/gpu": "9",
    "count/things.example.com": "9",
    "count/events": "9",
  };
  await createQuota(namespace, { hard });
  await untilStatus(namespace, {
    hard,
    used: {
      services: "4",
      "count/services": "4",
      "services.nodeports": "4",
      "services.loadbalancers": "2",
      secrets: "1",
      "count/secrets": "1",
      "count/ingresses.networking.k8s.io": "1",
      "count/leases.coordination.k8s.io": "0",
      resourcequotas: "1",
      "count/resourcequotas": "1",
      pods: "1",
      "count/pods": "1",
      cpu: "250m",
      "requests.memory": "64Mi",
      "limits.cpu": "1",
      "limits.memory": "0",
      "requests.example.com/gpu": "0",
    },
  });
});

void test("SVC-305: a change of the spec is taken over, and what it limits now is counted", { skip }, async () => {
  const namespace = await newNamespace();
  await create(`${rootOf(namespace)}/services`, service("a"));
  await create(`${rootOf(namespace)}/secrets`, { metadata: { name: "s" } });
  await createQuota(namespace, { hard: { services: "1000", secrets: "3" } });
  await untilStatus(namespace, { hard: { services: "1k", secrets: "3" }, used: { services: "1", secrets: "1" } });
  const { body } = await subject.ask("GET", quotaPath(namespace));
  const changed = await subject.ask("PUT", quotaPath(namespace), {
    ...body,
    spec: { hard: { services: "1", "count/secrets": "2" } },
  });
  assert.equal(changed.code, 200, changed.text);
  await untilStatus(namespace, {
    hard: { services: "1", "count/secrets": "2" },
    used: { services: "1", "count/secrets": "1" },
  });
});

void test("SVC-305: who exceeds a quota is refused, and let in when there is room again", { skip }, async () => {
  const namespace = await newNamespace();
  const services = `${rootOf(namespace)}/services`;
  await createQuota(namespace, { hard: { services: "2" } });
  await untilStatus(namespace, { hard: { services: "2" }, used: { services: "0" } });
  await create(services, service("a"));
  await create(services, service("b"));
  const refused = await subject.ask("POST", services, service("c"));
  assert.deepEqual(
    [refused.code, refused.body.message],
    [403, 'services "c" is forbidden: exceeded quota: q, requested: services=1, used: services=2, limited: services=2'],
  );
  assert.equal((await subject.ask("DELETE", `${services}/a`)).code, 200);
  await untilStatus(namespace, { hard: { services: "2" }, used: { services: "1" } });
  await create(services, service("c"));
});

void test("SVC-307: a change of type takes and frees", { skip }, async () => {
  const namespace = await newNamespace();
  const services = `${rootOf(namespace)}/services`;
  const hard = { "services.nodeports": "4", "services.loadbalancers": "1" };
  const { body } = await create(services, service("a"));
  await createQuota(namespace, { hard });
  await untilStatus(namespace, { hard, used: { "services.nodeports": "0", "services.loadbalancers": "0" } });
  const change = async (object: { spec: object }, spec: object): Promise<Answered> => {
    const answered = await subject.ask("PUT", `${services}/a`, { ...object, spec: { ...object.spec, ...spec } });
    assert.equal(answered.code, 200, answered.text);
    return answered;
  };
  const balanced = await change(body, { type: "LoadBalancer" });
  await untilStatus(namespace, { hard, used: { "services.nodeports": "2", "services.loadbalancers": "1" } });
  const byNode = await change(balanced.body, { type: "NodePort" });
  await untilStatus(namespace, { hard, used: { "services.nodeports": "2", "services.loadbalancers": "0" } });
  await change(byNode.body, { type: "ClusterIP", ports: ports(2) });
  await untilStatus(namespace, { hard, used: { "services.nodeports": "0", "services.loadbalancers": "0" } });
});

void test("a pod that has ended takes no room, and is still an object", { skip }, async () => {
  const namespace = await newNamespace();
  const hard = { pods: "1", "count/pods": "2", cpu: "1" };
  await createQuota(namespace, { hard });
  await untilStatus(namespace, { hard, used: { pods: "0", "count/pods": "0", cpu: "0" } });
  await create(`${rootOf(namespace)}/pods`, pod("p"));
  await untilStatus(namespace, { hard, used: { pods: "1", "count/pods": "1", cpu: "250m" } });
  const patch = { status: { phase: "Succeeded" } };
  const headers = { "content-type": "application/merge-patch+json" };
  const ended = await subject.ask("PATCH", `${rootOf(namespace)}/pods/p/status`, patch, { headers });
  assert.equal(ended.code, 200, ended.text);
  await untilStatus(namespace, { hard, used: { pods: "0", "count/pods": "1", cpu: "0" } });
  await create(`${rootOf(namespace)}/pods`, pod("next"));
});

void test("a quota within scopes counts the pods that are in them", { skip }, async () => {
  const namespace = await newNamespace();
  await create(`${rootOf(namespace)}/pods`, pod("short", { activeDeadlineSeconds: 60 }));
  await create(`${rootOf(namespace)}/pods`, pod("long"));
  await createQuota(namespace, { hard: { pods: "5", "requests.cpu": "5" }, scopes: ["Terminating"] });
  await untilStatus(namespace, {
    hard: { pods: "5", "requests.cpu": "5" },
    used: { pods: "1", "requests.cpu": "250m" },
  });
});

void test("workloads are counted, and claims with their size, in all and within their class", { skip }, async () => {
  const namespace = await newNamespace();
  const hard = {
    "count/deployments.apps": "1",
    "count/jobs.batch": "1",
    "count/replicationcontrollers": "2",
    replicationcontrollers: "1",
    persistentvolumeclaims: "3",
    "requests.storage": "3Gi",
    "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
  };
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));
  await createQuota(namespace, { hard });
  await untilStatus(namespace, { hard, used });
  const labels = { app: "a" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const apps = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const controllers = `${rootOf(namespace)}/replicationcontrollers`;
  const claims = `${rootOf(namespace)}/persistentvolumeclaims`;
  const controller = (name: string) => ({ metadata: { name }, spec: { replicas: 0, template } });
  const claim = (name: string, storage: string, more: object = {}) => ({
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...more },
  });
  await create(apps, { metadata: { name: "d" }, spec: { replicas: 0, selector: { matchLabels: labels }, template } });
  await create(controllers, controller("r"));
  await create(claims, claim("plain", "1Gi"));
  await create(claims, claim("gold", "1Gi", { storageClassName: "gold" }));
  await untilStatus(namespace, {
    hard,
    used: {
      ...used,
      "count/deployments.apps": "1",
      "count/replicationcontrollers": "1",
      replicationcontrollers: "1",
      persistentvolumeclaims: "2",
      "requests.storage": "2Gi",
      "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
    },
  });
  const refusal = async (path: string, body: object): Promise<string> => {
    const { code, body: said } = await subject.ask("POST", path, body);
    assert.equal(code, 403);
    return said.message;
  };
  assert.equal(
    await refusal(controllers, controller("s")),
    'replicationcontrollers "s" is forbidden: exceeded quota: q, requested: replicationcontrollers=1, used: replicationcontrollers=1, limited: replicationcontrollers=1',
  );
  assert.equal(
    await refusal(claims, claim("large", "2Gi", { storageClassName: "gold" })),
    'persistentvolumeclaims "large" is forbidden: exceeded quota: q, requested: gold.storageclass.storage.k8s.io/requests.storage=2Gi,requests.storage=2Gi, used: gold.storageclass.storage.k8s.io/requests.storage=1Gi,requests.storage=2Gi, limited: gold.storageclass.storage.k8s.io/requests.storage=1Gi,requests.storage=3Gi',
  );
});
