import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const NAMESPACE = "/api/v1/namespaces/default";
const SERVICES = `${NAMESPACE}/services`;

interface Entry {
  manager: string;
  operation: string;
  apiVersion: string;
  fieldsType: string;
  subresource?: string;
  time?: string;
  fieldsV1: object;
}

const managersOf = ({ body }: Answered): Entry[] => body.metadata.managedFields ?? [];
const fieldsOf = (answer: Answered, manager: string, subresource?: string): object | undefined =>
  managersOf(answer).find((entry) => entry.manager === manager && entry.subresource === subresource)?.fieldsV1;

const patch = (type: string, path: string, body: unknown, agent?: string): Promise<Answered> =>
  subject.ask("PATCH", path, body, {
    headers: { "content-type": `application/${type}`, ...(agent === undefined ? {} : { "user-agent": agent }) },
  });
const merge = (path: string, body: unknown, agent?: string): Promise<Answered> =>
  patch("merge-patch+json", path, body, agent);

const made = async (path: string, body: { metadata: { name: string } }, manager = "maker"): Promise<Answered> => {
  const answer = await subject.ask("POST", `${path}?fieldManager=${manager}`, body);
  assert.equal(answer.code, 201, answer.text);
  return answer;
};

void test("SVC-198: a create is owned by its writer: what was said and what was defaulted, not what the server allocates, and no status", async () => {
  const answer = await made(SERVICES, {
    metadata: { name: "web", labels: { a: "b" }, finalizers: ["a/x"] },
    spec: { selector: { app: "x" }, ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
  } as { metadata: { name: string } });
  const [entry, ...others] = managersOf(answer);
  assert.deepEqual(others, []);
  const { time, ...rest } = entry!;
  assert.match(time ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual(rest, {
    manager: "maker",
    operation: "Update",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: {
      "f:metadata": { "f:finalizers": { ".": {}, 'v:"a/x"': {} }, "f:labels": { ".": {}, "f:a": {} } },
      "f:spec": {
        "f:internalTrafficPolicy": {},
        "f:ports": {
          ".": {},
          'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {} },
        },
        "f:selector": {},
        "f:sessionAffinity": {},
        "f:type": {},
      },
    },
  });
  assert.equal(answer.body.status.loadBalancer.ingress, undefined);
  const told = await merge(`${SERVICES}/web/status?fieldManager=teller`, {
    spec: { type: "NodePort" },
    status: {
      conditions: [{ type: "A", status: "True", reason: "R", message: "", lastTransitionTime: "2024-01-01T00:00:00Z" }],
    },
  });
  assert.equal(told.code, 200, told.text);
  assert.equal(told.body.spec.type, "ClusterIP");
  const versions = [answer, told].map(({ body }) => body.metadata.resourceVersion as string);
  assert.ok(BigInt(versions[1]!) > BigInt(versions[0]!), versions.join());
  assert.deepEqual(fieldsOf(told, "teller", "status"), {
    "f:status": {
      "f:conditions": {
        ".": {},
        'k:{"type":"A"}': {
          ".": {},
          "f:lastTransitionTime": {},
          "f:message": {},
          "f:reason": {},
          "f:status": {},
          "f:type": {},
        },
      },
    },
  });
});

void test("every way of updating hands over what it changes, keeps what it does not, and forgets what it removes", async () => {
  const at = `${NAMESPACE}/configmaps/changed`;
  await made(`${NAMESPACE}/configmaps`, { metadata: { name: "changed" }, data: { a: "1", b: "1", c: "1" } } as never);
  const put = await subject.ask("PUT", `${at}?fieldManager=putter`, {
    metadata: { name: "changed" },
    data: { a: "2", b: "1", c: "1", d: "1" },
  });
  assert.deepEqual(fieldsOf(put, "putter"), { "f:data": { "f:a": {}, "f:d": {} } });
  assert.deepEqual(fieldsOf(put, "maker"), { "f:data": { ".": {}, "f:b": {}, "f:c": {} } });
  const merged = await merge(`${at}?fieldManager=merger`, { data: { b: "2", c: null } });
  assert.deepEqual(fieldsOf(merged, "merger"), { "f:data": { "f:b": {} } });
  assert.deepEqual(fieldsOf(merged, "maker"), { "f:data": {} });
  const strategic = await patch("strategic-merge-patch+json", `${at}?fieldManager=strategist`, { data: { e: "1" } });
  assert.deepEqual(fieldsOf(strategic, "strategist"), { "f:data": { "f:e": {} } });
  const json = await patch("json-patch+json", `${at}?fieldManager=jason`, [
    { op: "replace", path: "/data/e", value: "2" },
  ]);
  assert.deepEqual(fieldsOf(json, "jason"), { "f:data": { "f:e": {} } });
  assert.equal(fieldsOf(json, "strategist"), undefined);
  const { resourceVersion } = json.body.metadata;
  // The same again by somebody else is no change, and makes nobody an owner.
  const same = await merge(`${at}?fieldManager=other`, { data: { e: "2" } });
  assert.equal(same.body.metadata.resourceVersion, resourceVersion);
  assert.equal(fieldsOf(same, "other"), undefined);
  const gone = await subject.ask("PUT", `${at}?fieldManager=putter`, { metadata: { name: "changed" } });
  assert.deepEqual(managersOf(gone), []);
  // Whom nobody owns any more, nobody owns from then on.
  const after = await merge(`${at}?fieldManager=merger`, { data: { x: "y" } });
  assert.deepEqual(managersOf(after), []);
});

void test("the writer is who fieldManager names, else the user agent up to its first slash, else unknown", async () => {
  await made(`${NAMESPACE}/configmaps`, { metadata: { name: "agents" }, data: { a: "1" } } as never);
  const cases: [query: string, agent: string, manager: string][] = [
    ["?fieldManager=named", "agent/1", "named"],
    ["", "agent/1 (linux)", "agent"],
    ["", "Mozilla 5.0/x", "Mozilla 5.0"],
    ["", "", "unknown"],
    ["", `${"y".repeat(200)}/1`, "y".repeat(128)],
  ];
  for (const [index, [query, agent, manager]] of cases.entries()) {
    const answer = await merge(`${NAMESPACE}/configmaps/agents${query}`, { data: { [`k${index}`]: "v" } }, agent);
    const owned = fieldsOf(answer, manager) as Record<string, Record<string, object>> | undefined;
    assert.ok(owned?.["f:data"]?.[`f:k${index}`], `${agent}: ${JSON.stringify(managersOf(answer))}`);
  }
});

void test("a client may write the list of managers: what can be read counts, what cannot does not, an empty one forgets all", async () => {
  const at = `${NAMESPACE}/configmaps/rewritten`;
  await made(`${NAMESPACE}/configmaps`, { metadata: { name: "rewritten" }, data: { a: "1" } } as never);
  const entry = (more: object): object => ({
    manager: "x",
    operation: "Apply",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:data": { "f:a": {} } },
    ...more,
  });
  const managers = async (entries: unknown): Promise<string[]> => {
    const answer = await merge(at, { metadata: { managedFields: entries } });
    assert.equal(answer.code, 200, answer.text);
    return managersOf(answer).map(({ manager, operation }) => `${manager} ${operation}`);
  };
  for (const bad of [
    { operation: "Bad" },
    { apiVersion: "" },
    { fieldsType: "FieldsV2" },
    { fieldsType: null },
    { fieldsV1: { bad: {} } },
    { fieldsV1: { "k:nonsense": {} } },
  ]) {
    assert.deepEqual(await managers([entry(bad)]), ["maker Update"], JSON.stringify(bad));
  }
  assert.deepEqual(await managers(null), ["maker Update"]);
  assert.deepEqual(await managers([entry({})]), ["x Apply"]);
  // Entries of versions that are not served are nobody's.
  assert.deepEqual(await managers([entry({}), entry({ manager: "old", apiVersion: "v9" })]), ["x Apply"]);
  // What has one owner is owned as a whole, whatever is said; keys are written in one way.
  const service = await made(SERVICES, {
    metadata: { name: "atoms" },
    spec: { ports: [{ port: 80 }], selector: { a: "b" } },
  } as never);
  assert.equal(service.code, 201);
  const inside = {
    "f:spec": { "f:selector": { "f:a": {} }, "f:ports": { 'k:{"protocol":"TCP","port":80}': { "f:port": {} } } },
  };
  const atoms = await merge(`${SERVICES}/atoms`, { metadata: { managedFields: [entry({ fieldsV1: inside })] } });
  assert.deepEqual(fieldsOf(atoms, "x"), {
    "f:spec": { "f:selector": {}, "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { "f:port": {} } } },
  });
  assert.deepEqual(await managers([{}]), []);
  await merge(at, { metadata: { managedFields: [entry({})] } });
  assert.deepEqual(await managers([]), []);
  // Through /status nobody writes it.
  const status = await merge(`${SERVICES}/atoms/status`, { metadata: { managedFields: [{}] } });
  assert.ok(fieldsOf(status, "x"));
});

void test("more than ten updaters are joined, the oldest first, under ancient-changes", async () => {
  await made(SERVICES, { metadata: { name: "crowded" }, spec: { ports: [{ port: 80 }] } } as never, "m00");
  let answer: Answered | undefined;
  for (let index = 1; index < 14; index++) {
    const manager = `m${String(index).padStart(2, "0")}`;
    answer = await merge(`${SERVICES}/crowded?fieldManager=${manager}`, { metadata: { labels: { [manager]: "x" } } });
  }
  const managers = managersOf(answer!).map(({ manager }) => manager);
  assert.equal(managers.length, 10);
  assert.deepEqual([managers[0], managers.at(-1)], ["ancient-changes", "m13"]);
  const joined = fieldsOf(answer!, "ancient-changes") as Record<string, Record<string, object>>;
  assert.deepEqual(Object.keys(joined["f:metadata"]!["f:labels"]!), [".", "f:m01", "f:m02", "f:m03", "f:m04"]);
  assert.ok(joined["f:spec"]!["f:ports"]);
});

void test("appliers are told before updaters", async () => {
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "sorted" }, data: { b: "1" } };
  await made(`${NAMESPACE}/configmaps`, { metadata: { name: "sorted" }, data: { a: "1" } } as never);
  for (const manager of ["zed", "ann"]) {
    await patch("apply-patch+yaml", `${NAMESPACE}/configmaps/sorted?fieldManager=${manager}`, body);
  }
  const answer = await subject.ask("GET", `${NAMESPACE}/configmaps/sorted`);
  // Who applied what was there already changed nothing, and has no time.
  assert.deepEqual(
    managersOf(answer).map(({ manager, operation, time }) => [manager, operation, time !== undefined]),
    [
      ["ann", "Apply", false],
      ["zed", "Apply", true],
      ["maker", "Update", true],
    ],
  );
});

const container = {
  name: "c",
  image: "x",
  env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "m", key: "k" } } }],
  ports: [{ containerPort: 53, protocol: "UDP" }],
  livenessProbe: { grpc: { port: 1 } },
};

void test("what Kubernetes writes unasked is owned, too: empty structs and times of a pod, and a binding makes nobody an owner", async () => {
  const pod = await made(`${NAMESPACE}/pods`, {
    metadata: { name: "pod" },
    spec: { containers: [container], nodeSelector: { a: "b" }, imagePullSecrets: [{ name: "s" }] },
  } as never);
  const {
    "f:containers": containers,
    "f:nodeSelector": selector,
    "f:imagePullSecrets": secrets,
  } = (fieldsOf(pod, "maker") as Record<string, Record<string, Record<string, Record<string, object>>>>)["f:spec"]!;
  assert.deepEqual([selector, secrets], [{}, { ".": {}, 'k:{"name":"s"}': {} }]);
  const owned = containers!['k:{"name":"c"}']!;
  assert.deepEqual(owned["f:resources"], {});
  assert.deepEqual(owned["f:env"], {
    ".": {},
    'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:valueFrom": { ".": {}, "f:configMapKeyRef": {} } },
  });
  assert.deepEqual(owned["f:ports"], {
    ".": {},
    'k:{"containerPort":53,"protocol":"UDP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
  });
  const bound = await subject.ask("POST", `${NAMESPACE}/pods/pod/binding`, {
    metadata: { name: "pod" },
    target: { kind: "Node", name: "n1" },
  });
  assert.equal(bound.code, 201, bound.text);
  const read = await subject.ask("GET", `${NAMESPACE}/pods/pod`);
  assert.equal(read.body.spec.nodeName, "n1");
  assert.deepEqual(managersOf(read), managersOf(pod));
  const told = await patch("strategic-merge-patch+json", `${NAMESPACE}/pods/pod/status?fieldManager=kubelet`, {
    status: { conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2024-01-01T00:00:00Z" }] },
  });
  const status = (fieldsOf(told, "kubelet", "status") as Record<string, Record<string, Record<string, object>>>)[
    "f:status"
  ]!;
  assert.deepEqual(status["f:conditions"]!['k:{"type":"Ready"}'], {
    ".": {},
    "f:lastProbeTime": {},
    "f:lastTransitionTime": {},
    "f:status": {},
    "f:type": {},
  });
});

void test("a namespace's finalizers are owned through finalize, a node's status through status", async () => {
  const name = "owned";
  await subject.ask("POST", "/api/v1/namespaces", { metadata: { name } });
  const finalized = await subject.ask("PUT", `/api/v1/namespaces/${name}/finalize?fieldManager=ender`, {
    metadata: { name },
    spec: { finalizers: ["kubernetes", "a/b"] },
  });
  assert.deepEqual(fieldsOf(finalized, "ender", "finalize"), { "f:spec": { "f:finalizers": {} } });
  await made("/api/v1/nodes", {
    metadata: { name: "n2", labels: { a: "b" } },
    status: { capacity: { cpu: "1" } },
  } as never);
  const told = await patch("strategic-merge-patch+json", "/api/v1/nodes/n2/status?fieldManager=kubelet", {
    status: { addresses: [{ type: "Hostname", address: "n2" }], nodeInfo: { machineID: "m" } },
  });
  assert.deepEqual(fieldsOf(told, "kubelet", "status"), {
    "f:status": {
      "f:addresses": { ".": {}, 'k:{"type":"Hostname"}': { ".": {}, "f:address": {}, "f:type": {} } },
      "f:nodeInfo": { "f:machineID": {} },
    },
  });
});

void test("what a server makes at its start is owned by kube-apiserver", async () => {
  const answer = await subject.ask("GET", `${SERVICES}/kubernetes`);
  assert.equal(answer.code, 200, answer.text);
  assert.deepEqual(
    managersOf(answer).map(({ manager, operation }) => [manager, operation]),
    [["kube-apiserver", "Update"]],
  );
});

void test("deleting an object that a finalizer holds changes no manager", async () => {
  const at = `${NAMESPACE}/configmaps/ending`;
  const before = await made(`${NAMESPACE}/configmaps`, { metadata: { name: "ending", finalizers: ["a/b"] } } as never);
  await subject.ask("DELETE", at);
  const read = await subject.ask("GET", at);
  assert.ok(read.body.metadata.deletionTimestamp);
  assert.deepEqual(managersOf(read), managersOf(before));
});
