import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const account = (name: string, more: object = {}): Promise<Answered> =>
  subject.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name }, ...more });
before(async () => {
  subject = await startSubject({ serviceAccounts: true });
  // Without controllers nobody else makes it.
  for (const [name, more] of [
    ["default", {}],
    ["robot", {}],
    ["quiet", { automountServiceAccountToken: false }],
  ] as const) {
    const { code, text } = await account(name, more);
    assert.equal(code, 201, text);
  }
});
after(() => subject.close());

const C = { name: "c", image: "nginx:1" };
const create = (name: string, spec: object, metadata: object = {}): Promise<Answered> =>
  subject.ask("POST", "/api/v1/namespaces/default/pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, ...metadata },
    spec: { containers: [C], ...spec },
  });
async function specOf(name: string, spec: object): Promise<Answered["body"]> {
  const { code, body, text } = await create(name, spec);
  assert.equal(code, 201, text);
  return body.spec;
}

void test("a pod is given the ServiceAccount default, and its containers a token, its authority and the namespace", async () => {
  const spec = await specOf("plain", {
    volumes: [{ name: "own", emptyDir: {} }],
    initContainers: [{ ...C, name: "i" }],
    containers: [{ ...C, volumeMounts: [{ name: "own", mountPath: "/own" }] }],
  });
  assert.deepEqual([spec.serviceAccountName, spec.serviceAccount], ["default", "default"]);
  const [own, token] = spec.volumes;
  assert.equal(own.name, "own");
  assert.match(token.name, /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.deepEqual(token.projected, {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
    defaultMode: 420,
  });
  const mount = { name: token.name, readOnly: true, mountPath: MOUNT_PATH };
  assert.deepEqual(spec.initContainers[0].volumeMounts, [mount]);
  assert.deepEqual(spec.containers[0].volumeMounts, [{ name: "own", mountPath: "/own" }, mount]);
});

void test("the pod's word about its token counts before its ServiceAccount's", async () => {
  for (const [name, spec, isMounted] of [
    ["no", { automountServiceAccountToken: false }, false],
    ["quiet", { serviceAccountName: "quiet" }, false],
    ["loud", { serviceAccountName: "quiet", automountServiceAccountToken: true }, true],
    ["robot", { serviceAccountName: "robot" }, true],
  ] as const) {
    const { volumes = [], serviceAccountName } = await specOf(name, spec);
    assert.equal(volumes.length, isMounted ? 1 : 0, name);
    assert.equal(serviceAccountName, "serviceAccountName" in spec ? spec.serviceAccountName : "default");
  }
});

void test("what a container has at that place already stays, and a volume of that kind is used again", async () => {
  const own = { name: "mine", mountPath: MOUNT_PATH };
  const kept = await specOf("kept", {
    volumes: [{ name: "mine", emptyDir: {} }],
    containers: [{ ...C, volumeMounts: [own] }],
  });
  assert.deepEqual(kept.volumes, [{ name: "mine", emptyDir: {} }]);
  assert.deepEqual(kept.containers[0].volumeMounts, [own]);
  const again = await specOf("again", { volumes: [{ name: "kube-api-access-mine", emptyDir: {} }] });
  assert.deepEqual(again.volumes, [{ name: "kube-api-access-mine", emptyDir: {} }]);
  assert.equal(again.containers[0].volumeMounts[0].name, "kube-api-access-mine");
});

void test("a ServiceAccount must be there", async () => {
  const { code, body } = await create("lost", { serviceAccountName: "nobody" });
  assert.equal(code, 403);
  assert.equal(
    body.message,
    'pods "lost" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
  );
  assert.deepEqual(body.details, { name: "lost", kind: "pods" });
});

void test("a pod that a node shows of its own accord is left as it is", async () => {
  const { code, body, text } = await create(
    "mirror",
    { nodeName: "n" },
    { annotations: { "kubernetes.io/config.mirror": "x" } },
  );
  assert.equal(code, 201, text);
  assert.deepEqual([body.spec.serviceAccountName, body.spec.volumes], [undefined, undefined]);
});

void test("an update keeps what creation gave", async () => {
  await specOf("updated", {});
  const path = "/api/v1/namespaces/default/pods/updated";
  const { body: pod } = await subject.ask("GET", path);
  const { code, text } = await subject.ask("PUT", path, { ...pod, metadata: { ...pod.metadata, labels: { a: "b" } } });
  assert.equal(code, 200, text);
  assert.deepEqual((await subject.ask("GET", path)).body.spec, pod.spec);
});
