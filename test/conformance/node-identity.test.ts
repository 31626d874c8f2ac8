import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pair } from "../apiserver/certificates.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
let one: Pair;
let two: Pair;
const uids = new Map<string, string>();

const make = async (path: string, body: object): Promise<Answered["body"]> => {
  const made = await subject.ask("POST", path, body);
  assert.equal(made.code, 201, made.text);
  return made.body;
};
const as = (pair: Pair) => ({ as: pair });
const patch = (path: string, body: object, pair: Pair): Promise<Answered> =>
  subject.ask("PATCH", path, body, { as: pair, headers: { "content-type": "application/strategic-merge-patch+json" } });
const ask = (pair: Pair, method: string, path: string, body?: object): Promise<Answered> =>
  subject.ask(method, path, body, as(pair));

const pod = (name: string, nodeName: string | undefined, more: object = {}) => ({
  metadata: { name },
  spec: {
    nodeName,
    serviceAccountName: `account-${name}`,
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: `pull-${name}` }],
    containers: [
      {
        name: "c",
        image: "i",
        env: [
          { name: "A", valueFrom: { secretKeyRef: { name: `key-${name}`, key: "k" } } },
          { name: "B", valueFrom: { configMapKeyRef: { name: `key-${name}`, key: "k" } } },
        ],
        envFrom: [{ secretRef: { name: `all-${name}` } }, { configMapRef: { name: `all-${name}` } }],
      },
    ],
    initContainers: [{ name: "i", image: "i", envFrom: [{ secretRef: { name: `init-${name}` } }] }],
    volumes: [
      { name: "s", secret: { secretName: `volume-${name}` } },
      { name: "m", configMap: { name: `volume-${name}` } },
      {
        name: "p",
        projected: {
          sources: [{ secret: { name: `projected-${name}` } }, { configMap: { name: `projected-${name}` } }],
        },
      },
    ],
    ...more,
  },
});
const PODS = "/api/v1/namespaces/default/pods";

before(async () => {
  subject = await startSubject();
  [one, two] = await Promise.all([
    subject.client("O=system:nodes, CN=system:node:one"),
    subject.client("O=system:nodes, CN=system:node:two"),
  ]);
  for (const name of ["one", "two"]) {
    const body = await make("/api/v1/nodes", {
      metadata: { name },
      spec: { taints: [{ key: "t", effect: "NoSchedule" }] },
    });
    uids.set(name, body.metadata.uid);
  }
  for (const [name, node] of [
    ["p1", "one"],
    ["p2", "two"],
    ["free", undefined],
  ] as const) {
    await make("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: `account-${name}` } });
    await make(PODS, pod(name, node));
    for (const which of ["pull", "key", "all", "init", "volume", "projected"]) {
      await make("/api/v1/namespaces/default/secrets", { metadata: { name: `${which}-${name}` } });
    }
    for (const which of ["key", "all", "volume", "projected"]) {
      await make("/api/v1/namespaces/default/configmaps", { metadata: { name: `${which}-${name}` } });
    }
  }
  await make("/api/v1/namespaces/default/secrets", { metadata: { name: "nobodys" } });
  const known = async (): Promise<boolean> => (await ask(two, "GET", `${PODS}/p2`)).code === 200;
  await until("the pods to be known to the judge", known);
});
after(() => subject.close());

const refusal = (node: string, verb: string, resource: string, name: string, reason: string): string =>
  `${resource} ${name === "" ? "" : `"${name}" `}is forbidden: User "system:node:${node}" cannot ${verb} resource "${resource}" in API group "" in the namespace "default": ${reason}`;
const UNRELATED = "no relationship found between node 'one' and this object";

void test("a node reads the Secrets and ConfigMaps that its own pods name, and no others", async () => {
  const secrets = "/api/v1/namespaces/default/secrets";
  const maps = "/api/v1/namespaces/default/configmaps";
  for (const which of ["pull", "key", "all", "init", "volume", "projected"]) {
    assert.equal((await ask(one, "GET", `${secrets}/${which}-p1`)).code, 200, which);
    assert.equal((await ask(one, "GET", `${secrets}/${which}-p2`)).code, 403, which);
    assert.equal((await ask(one, "GET", `${secrets}/${which}-free`)).code, 403, which);
  }
  for (const which of ["key", "all", "volume", "projected"]) {
    assert.equal((await ask(one, "GET", `${maps}/${which}-p1`)).code, 200, which);
    assert.equal((await ask(one, "GET", `${maps}/${which}-p2`)).code, 403, which);
  }
  const other = await ask(one, "GET", `${secrets}/nobodys`);
  assert.equal(other.body.message, refusal("one", "get", "secrets", "nobodys", UNRELATED));
  const all = await ask(one, "GET", secrets);
  assert.equal(all.body.message, refusal("one", "list", "secrets", "", "No Object name found"));
  assert.equal((await ask(one, "GET", `${secrets}?fieldSelector=metadata.name%3Dkey-p1`)).code, 200);
  const write = await ask(one, "DELETE", `${secrets}/key-p1`);
  assert.equal(
    write.body.message,
    refusal("one", "delete", "secrets", "key-p1", "can only read resources of this type"),
  );
});

void test("what a pod names is the node's to read from its binding to its end", async () => {
  const path = "/api/v1/namespaces/default/secrets/key-late";
  await make("/api/v1/namespaces/default/secrets", { metadata: { name: "key-late" } });
  await make("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "account-late" } });
  const code = async (): Promise<number> => (await ask(one, "GET", path)).code;
  const comes = (wanted: number): Promise<unknown> => until(`${wanted}`, async () => (await code()) === wanted);
  assert.equal(await code(), 403);
  await make(PODS, pod("late", undefined));
  assert.equal(await code(), 403);
  await make(`${PODS}/late/binding`, { metadata: { name: "late" }, target: { kind: "Node", name: "one" } });
  if (!subject.isFairlead) await comes(200);
  assert.equal(await code(), 200);
  const gone = await subject.ask("DELETE", `${PODS}/late?gracePeriodSeconds=0`);
  assert.equal(gone.code, 200, gone.text);
  if (!subject.isFairlead) await comes(403);
  assert.equal(await code(), 403);
});

void test("a node reads its own Node, and no other", async () => {
  assert.equal((await ask(one, "GET", "/api/v1/nodes/one")).code, 200);
  assert.equal((await ask(one, "GET", "/api/v1/nodes?fieldSelector=metadata.name%3Done")).code, 200);
  const other = await ask(one, "GET", "/api/v1/nodes/two");
  assert.equal(
    other.body.message,
    `nodes "two" is forbidden: User "system:node:one" cannot get resource "nodes" in API group "" at the cluster scope: node 'one' cannot read 'two', only its own Node object`,
  );
  const all = await ask(one, "GET", "/api/v1/nodes");
  assert.match(all.body.message, /: node 'one' cannot read all nodes, only its own Node object$/);
});

void test("a node reads the pods that are bound to it, and services; no slices", async () => {
  const mine = await ask(one, "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Done");
  assert.equal(mine.code, 200, mine.text);
  assert.deepEqual(
    mine.body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ["p1"],
  );
  assert.equal((await ask(one, "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dtwo")).code, 403);
  const all = await ask(one, "GET", "/api/v1/pods");
  assert.match(all.body.message, /: can only list\/watch pods with spec.nodeName field selector$/);
  assert.equal((await ask(one, "GET", `${PODS}/p1`)).code, 200);
  assert.equal((await ask(one, "GET", `${PODS}/p2`)).code, 403);
  assert.equal((await ask(one, "GET", "/api/v1/services")).code, 200);
  assert.equal((await ask(one, "GET", "/apis/discovery.k8s.io/v1/endpointslices")).code, 403);
  const slice = { metadata: { name: "x" }, addressType: "IPv4", endpoints: [] };
  assert.equal(
    (await ask(one, "POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice)).code,
    403,
  );
  assert.equal((await ask(one, "GET", "/api/v1/namespaces/default/pods/p1/log")).code, 403);
});

void test("a node writes the status of its own pods alone, and no labels by it", async () => {
  const status = { status: { message: "hello" } };
  assert.equal((await patch(`${PODS}/p1/status`, status, one)).code, 200);
  const other = await patch(`${PODS}/p2/status`, status, one);
  assert.equal(other.code, 403, other.text);
  assert.equal(
    other.body.message,
    'pods "p2" is forbidden: node "one" can only update pod status for pods with spec.nodeName set to itself',
  );
  const labels = await patch(`${PODS}/p1/status`, { metadata: { labels: { a: "b" } } }, one);
  assert.equal(labels.body.message, 'pods "p1" is forbidden: node "one" cannot update labels through pod status');
  assert.equal((await patch(`${PODS}/p1`, { metadata: { labels: { a: "b" } } }, one)).code, 403);
});

void test("a node deletes and evicts its own pods alone", async () => {
  const message = async (answer: Promise<Answered>): Promise<string> => (await answer).body.message;
  assert.equal(
    await message(ask(one, "DELETE", `${PODS}/p2`)),
    'pods "p2" is forbidden: node "one" can only delete pods with spec.nodeName set to itself',
  );
  const eviction = (name: string) => ({
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace: "default" },
  });
  assert.equal(
    await message(ask(one, "POST", `${PODS}/p2/eviction`, eviction("p2"))),
    'pods "p2" is forbidden: node one can only evict pods with spec.nodeName set to itself',
  );
  for (const name of ["gone", "out"]) {
    await make("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: `account-${name}` } });
    await make(PODS, pod(name, "one"));
  }
  const known = async (): Promise<boolean> => (await ask(one, "GET", `${PODS}/out`)).code === 200;
  await until("the pods to be known to the judge", known);
  assert.equal((await ask(one, "DELETE", `${PODS}/gone?gracePeriodSeconds=0`)).code, 200);
  assert.equal((await ask(one, "POST", `${PODS}/out/eviction`, eviction("out"))).code, 201);
  assert.equal((await ask(one, "DELETE", PODS)).code, 403);
  assert.equal((await ask(one, "POST", `${PODS}/free/binding`, { target: { kind: "Node", name: "one" } })).code, 403);
});

const mirror = (name: string, owner: object | undefined, more: object = {}, spec: object = {}) => ({
  metadata: {
    name,
    annotations: { "kubernetes.io/config.mirror": "x" },
    ...(owner === undefined ? {} : { ownerReferences: [owner] }),
    ...more,
  },
  spec: { nodeName: "one", containers: [{ name: "c", image: "i" }], automountServiceAccountToken: false, ...spec },
});

void test("a node creates nothing but mirror pods of its own, which read nothing from the API", async () => {
  const owner = { apiVersion: "v1", kind: "Node", name: "one", uid: uids.get("one")!, controller: true };
  const refused = async (body: object, why: string): Promise<void> => {
    const answer = await ask(one, "POST", PODS, body);
    assert.equal(answer.code, 403, answer.text);
    assert.equal(answer.body.message, `pods "m" is forbidden: ${why}`);
  };
  await refused(
    mirror("m", owner, { annotations: {} }),
    'pod does not have "kubernetes.io/config.mirror" annotation, node "one" can only create mirror pods',
  );
  await refused(
    mirror("m", owner, {}, { nodeName: "two" }),
    'node "one" can only create pods with spec.nodeName set to itself',
  );
  await refused(mirror("m", undefined), 'node "one" can only create pods with an owner reference set to itself');
  await refused(
    mirror("m", { ...owner, controller: false }),
    'node "one" can only create pods with a controller owner reference set to itself',
  );
  await refused(
    mirror("m", { ...owner, blockOwnerDeletion: true }),
    'node "one" must not set blockOwnerDeletion on an owner reference',
  );
  await refused(mirror("m", { ...owner, uid: "u" }), `node one UID mismatch: expected u got ${uids.get("one")}`);
  await refused(
    mirror("m", owner, {}, { volumes: [{ name: "s", secret: { secretName: "nobodys" } }] }),
    'node "one" can not create pods that reference secrets',
  );
  await refused(
    mirror("m", owner, {}, { serviceAccountName: "x" }),
    'node "one" can not create pods that reference serviceaccounts',
  );
  const made = await ask(one, "POST", PODS, mirror("m", owner, {}, { volumes: [{ name: "e", emptyDir: {} }] }));
  assert.equal(made.code, 201, made.text);
});

void test("a node writes its own Node, but no label that others steer by, no taint and no owner", async () => {
  const node = "/api/v1/nodes/one";
  assert.equal((await patch(`${node}/status`, { status: { phase: "" } }, one)).code, 200);
  const own = {
    "kubernetes.io/hostname": "one",
    "topology.kubernetes.io/zone": "z",
    "x.node.kubernetes.io/a": "b",
    mine: "1",
  };
  const labelled = await patch(node, { metadata: { labels: own } }, one);
  assert.equal(labelled.code, 200, labelled.text);
  const refused = async (body: object, why: string): Promise<void> => {
    const answer = await patch(node, body, one);
    assert.equal(answer.code, 403, answer.text);
    assert.equal(answer.body.message, `nodes "one" is forbidden: ${why}`);
  };
  await refused(
    { metadata: { labels: { "node-restriction.kubernetes.io/a": "b", "other.k8s.io/x": "y" } } },
    "is not allowed to modify labels: node-restriction.kubernetes.io/a, other.k8s.io/x",
  );
  await refused(
    { spec: { taints: [{ key: "t", effect: "NoExecute" }] } },
    'node "one" is not allowed to modify taints',
  );
  await refused(
    { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "x", uid: "u" }] } },
    'node "one" is not allowed to modify ownerReferences',
  );
  const other = await patch("/api/v1/nodes/two/status", { status: { phase: "" } }, one);
  assert.equal(other.body.message, 'nodes "two" is forbidden: node "one" is not allowed to modify node "two"');
  const stranger = await ask(one, "POST", "/api/v1/nodes", { metadata: { name: "three" } });
  assert.equal(stranger.body.message, 'nodes "three" is forbidden: node "one" is not allowed to modify node "three"');
  assert.equal((await ask(one, "DELETE", node)).code, 403);
  const four = await subject.client("O=system:nodes, CN=system:node:four");
  const steering = await ask(four, "POST", "/api/v1/nodes", {
    metadata: { name: "four", labels: { "node-role.kubernetes.io/x": "" } },
  });
  assert.equal(
    steering.body.message,
    'nodes "four" is forbidden: node "four" is not allowed to set the following labels: node-role.kubernetes.io/x',
  );
  assert.equal((await ask(four, "POST", "/api/v1/nodes", { metadata: { name: "four" } })).code, 201);
});

void test("a node holds the lease of its own name, and tells events", async () => {
  const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  if (!subject.isFairlead) {
    const there = async (): Promise<boolean> =>
      (await subject.ask("GET", "/api/v1/namespaces/kube-node-lease")).code === 200;
    await until("the namespace of the leases", there);
  }
  assert.equal((await ask(one, "POST", leases, { metadata: { name: "one" } })).code, 201);
  assert.equal((await ask(one, "GET", `${leases}/one`)).code, 200);
  const other = await ask(one, "POST", leases, { metadata: { name: "two" } });
  assert.equal(
    other.body.message,
    'leases.coordination.k8s.io "two" is forbidden: can only access node lease with the same name as the requesting node',
  );
  assert.match(
    (await ask(one, "GET", `${leases}/two`)).body.message,
    /: can only access node lease with the same name as the requesting node$/,
  );
  assert.match(
    (await ask(one, "GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases/one")).body.message,
    /: can only access leases in the "kube-node-lease" system namespace$/,
  );
  const event = {
    metadata: { name: "e" },
    involvedObject: { kind: "Pod", namespace: "default", name: "p1" },
    reason: "R",
    type: "Normal",
  };
  assert.equal((await ask(one, "POST", "/api/v1/namespaces/default/events", event)).code, 201);
  assert.equal((await ask(one, "DELETE", "/api/v1/namespaces/default/events/e")).code, 403);
});

void test("a node sees the ServiceAccounts of its own pods", async () => {
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  assert.equal((await ask(one, "GET", `${accounts}/account-p1`)).code, 200);
  const other = await ask(one, "GET", `${accounts}/account-p2`);
  assert.equal(other.body.message, refusal("one", "get", "serviceaccounts", "account-p2", UNRELATED));
  assert.equal((await ask(one, "GET", accounts)).code, 403);
});

void test("the name alone makes no node, nor does the group", async () => {
  const named = await subject.client("CN=system:node:one");
  const grouped = await subject.client("O=system:nodes, CN=one");
  for (const pair of [named, grouped]) assert.equal((await ask(pair, "GET", "/api/v1/nodes/one")).code, 403);
});

void test("a node reads the claims that its pods name, and says of them how much there is, and nothing else", async () => {
  const claims = "/api/v1/namespaces/default/persistentvolumeclaims";
  for (const name of ["mine", "ephemeral-v", "theirs"]) {
    const resources = { requests: { storage: "1Gi" } };
    await make(claims, { metadata: { name }, spec: { accessModes: ["ReadWriteOnce"], resources } });
  }
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const withVolume = (name: string, nodeName: string, volume: object) => ({
    metadata: { name },
    spec: {
      nodeName,
      automountServiceAccountToken: false,
      containers: [{ name: "c", image: "i" }],
      volumes: [{ name: "v", ...volume }],
    },
  });
  await make(PODS, withVolume("claiming", "one", { persistentVolumeClaim: { claimName: "mine" } }));
  await make(PODS, withVolume("ephemeral", "one", { ephemeral: { volumeClaimTemplate: { spec } } }));
  await make(PODS, withVolume("elsewhere", "two", { persistentVolumeClaim: { claimName: "theirs" } }));
  for (const [name, code] of [
    ["mine", 200],
    ["ephemeral-v", 200],
    ["theirs", 403],
  ] as const) {
    await until(
      `node one is answered ${code} for ${name}`,
      async () => (await ask(one, "GET", `${claims}/${name}`)).code === code,
    );
  }
  const list = await ask(one, "GET", claims);
  assert.deepEqual([list.code, list.body.reason], [403, "Forbidden"]);
  assert.equal((await ask(one, "GET", `${claims}/mine/status`)).code, 403);
  const status = { capacity: { storage: "1Gi" }, conditions: [{ type: "Resizing", status: "True" }] };
  const told = await patch(`${claims}/mine/status`, { status }, one);
  assert.deepEqual([told.code, told.body.status?.capacity], [200, status.capacity], told.text);
  assert.equal((await patch(`${claims}/theirs/status`, { status }, one)).code, 403);
  const more = await patch(
    `${claims}/mine/status`,
    { metadata: { labels: { a: "b" } }, status: { phase: "Bound" } },
    one,
  );
  assert.equal(more.code, 403);
  assert.match(
    more.body.message,
    /persistentvolumeclaims "mine" is forbidden: node "one" is not allowed to update fields other than status.quantity and status.conditions/,
  );
  assert.equal((await patch(`${claims}/mine/status`, { status: { phase: "Bound" } }, one)).code, 403);
  assert.equal((await patch(`${claims}/mine`, { spec: { volumeName: "v" } }, one)).code, 403);
});
