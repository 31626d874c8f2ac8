import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pair } from "../apiserver/certificates.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
const who = new Map<string, Pair | "anonymous">();
const RBAC = "/apis/rbac.authorization.k8s.io/v1";

const make = async (path: string, body: object): Promise<void> => {
  const { code, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
};
const role = (namespace: string, name: string, rules: object[]): Promise<void> =>
  make(`${RBAC}/namespaces/${namespace}/roles`, { metadata: { name }, rules });
const clusterRole = (name: string, rules: object[]): Promise<void> =>
  make(`${RBAC}/clusterroles`, { metadata: { name }, rules });
const bind = (namespace: string, name: string, kind: string, to: string, subjects: object[]): Promise<void> =>
  make(`${RBAC}/namespaces/${namespace}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: to },
    subjects,
  });
const bindAll = (name: string, to: string, subjects: object[]): Promise<void> =>
  make(`${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: to },
    subjects,
  });
const user = (name: string) => ({ kind: "User", name, apiGroup: "rbac.authorization.k8s.io" });
const group = (name: string) => ({ kind: "Group", name, apiGroup: "rbac.authorization.k8s.io" });

before(async () => {
  subject = await startSubject();
  for (const name of ["a", "b"]) await make("/api/v1/namespaces", { metadata: { name } });
  for (const namespace of ["a", "b"]) {
    for (const name of ["one", "two"]) {
      await make(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name } });
    }
  }
  await role("a", "reader", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }]);
  await role("a", "named", [
    {
      apiGroups: [""],
      resources: ["configmaps"],
      verbs: ["get", "list", "delete", "deletecollection"],
      resourceNames: ["one"],
    },
  ]);
  await clusterRole("logs", [{ apiGroups: [""], resources: ["pods/log", "*/status"], verbs: ["get", "patch"] }]);
  await clusterRole("urls", [{ nonResourceURLs: ["/metrics", "/extra/*"], verbs: ["get"] }]);
  await clusterRole("all-of-core", [{ apiGroups: [""], resources: ["*"], verbs: ["*"] }]);
  await bind("a", "jane", "Role", "reader", [user("jane")]);
  await bind("a", "named", "Role", "named", [user("narrow")]);
  await bind("a", "team", "ClusterRole", "all-of-core", [group("team")]);
  await bind("b", "account", "ClusterRole", "all-of-core", [{ kind: "ServiceAccount", name: "robot" }]);
  await bindAll("logs", "logs", [user("logger")]);
  await bindAll("urls", "urls", [user("logger")]);
  await bindAll("broken", "nowhere", [user("broken")]);
  await bind("a", "broken", "Role", "nothing", [user("broken")]);
  who.set("anonymous", "anonymous");
  for (const [name, certificate] of [
    ["nobody", "CN=nobody"],
    ["jane", "CN=jane"],
    ["narrow", "CN=narrow"],
    ["member", "O=team, CN=member"],
    ["robot", "CN=system:serviceaccount:b:robot"],
    ["logger", "CN=logger"],
    ["broken", "CN=broken"],
  ] as const) {
    who.set(name, await subject.client(certificate));
  }
});
after(() => subject.close());

const A = "/api/v1/namespaces/a/configmaps";
const B = "/api/v1/namespaces/b/configmaps";
const NO = (verb: string, namespace: string, name = "") =>
  `configmaps ${name}is forbidden: User "WHO" cannot ${verb} resource "configmaps" in API group "" in the namespace "${namespace}"`;

/** Who asks for what, the code of the answer, and the message where the answer is a refusal. */
const rows: [who: string, method: string, path: string, code: number, message?: string][] = [
  ["anonymous", "GET", "/healthz", 200],
  ["anonymous", "GET", "/livez", 200],
  ["anonymous", "GET", "/readyz", 200],
  ["anonymous", "GET", "/version", 200],
  ["anonymous", "GET", "/api", 403, 'forbidden: User "system:anonymous" cannot get path "/api"'],
  ["anonymous", "GET", "/healthz/ping", 403, 'forbidden: User "system:anonymous" cannot get path "/healthz/ping"'],
  ["anonymous", "HEAD", "/version", 403],
  ["anonymous", "GET", A, 403, NO("list", "a").replace("WHO", "system:anonymous")],
  ["nobody", "GET", "/healthz", 200],
  ["nobody", "GET", "/api/v1", 200],
  ["nobody", "GET", "/apis/discovery.k8s.io/v1", 200],
  ["nobody", "GET", "/openapi/v2", 200],
  ["nobody", "GET", "/metrics", 403, 'forbidden: User "nobody" cannot get path "/metrics"'],
  ["nobody", "GET", "/nowhere", 403, 'forbidden: User "nobody" cannot get path "/nowhere"'],
  ["nobody", "GET", A, 403, NO("list", "a")],
  ["nobody", "GET", `${A}?watch=true`, 403, NO("watch", "a")],
  ["nobody", "GET", `${A}/one`, 403, NO("get", "a", '"one" ')],
  ["nobody", "GET", `${A}/missing`, 403, NO("get", "a", '"missing" ')],
  ["nobody", "POST", A, 403, NO("create", "a")],
  ["nobody", "PUT", `${A}/one`, 403, NO("update", "a", '"one" ')],
  ["nobody", "PATCH", `${A}/one`, 403, NO("patch", "a", '"one" ')],
  ["nobody", "DELETE", `${A}/one`, 403, NO("delete", "a", '"one" ')],
  ["nobody", "DELETE", A, 403, NO("deletecollection", "a")],
  [
    "nobody",
    "GET",
    "/api/v1/configmaps",
    403,
    'configmaps is forbidden: User "nobody" cannot list resource "configmaps" in API group "" at the cluster scope',
  ],
  [
    "nobody",
    "GET",
    "/apis/nowhere.example/v9/namespaces/a/things/x",
    403,
    'things.nowhere.example "x" is forbidden: User "nobody" cannot get resource "things" in API group "nowhere.example" in the namespace "a"',
  ],
  [
    "nobody",
    "GET",
    "/api/v1/namespaces/a/pods/p/log",
    403,
    'pods "p" is forbidden: User "nobody" cannot get resource "pods/log" in API group "" in the namespace "a"',
  ],
  [
    "nobody",
    "GET",
    "/api/v1/namespaces/a",
    403,
    'namespaces "a" is forbidden: User "nobody" cannot get resource "namespaces" in API group "" in the namespace "a"',
  ],
  ["jane", "GET", A, 200],
  ["jane", "GET", `${A}/two`, 200],
  ["jane", "GET", `${A}/missing`, 404],
  ["jane", "DELETE", `${A}/two`, 403, NO("delete", "a", '"two" ')],
  ["jane", "GET", B, 403, NO("list", "b")],
  ["jane", "GET", "/api/v1/namespaces/a/secrets", 403],
  ["narrow", "GET", `${A}/one`, 200],
  ["narrow", "GET", `${A}/two`, 403, NO("get", "a", '"two" ')],
  ["narrow", "GET", A, 403, NO("list", "a")],
  ["narrow", "GET", `${A}?fieldSelector=metadata.name%3Done`, 200],
  ["narrow", "GET", `${A}?fieldSelector=metadata.name%3Dtwo`, 403, NO("list", "a", '"two" ')],
  ["narrow", "DELETE", `${A}?fieldSelector=metadata.name%3Done`, 403, NO("deletecollection", "a")],
  ["member", "GET", A, 200],
  ["member", "GET", "/api/v1/namespaces/a/secrets", 200],
  ["member", "GET", "/api/v1/namespaces/a", 200],
  ["member", "GET", "/api/v1/namespaces/b", 403],
  ["member", "GET", "/api/v1/namespaces/a/pods/p/log", 404],
  ["member", "GET", "/apis/discovery.k8s.io/v1/namespaces/a/endpointslices", 403],
  ["robot", "GET", B, 200],
  ["robot", "GET", A, 403],
  ["logger", "GET", "/api/v1/namespaces/b/pods/p/log", 404],
  ["logger", "GET", "/api/v1/namespaces/b/pods/p", 403],
  ["logger", "GET", "/api/v1/namespaces/b/pods/p/status", 404],
  ["logger", "GET", "/api/v1/nodes/n/status", 404],
  ["logger", "GET", "/api/v1/nodes/n", 403],
  ["logger", "GET", "/extra/x", 404],
  ["logger", "GET", "/extra", 403],
  ["broken", "GET", B, 403, `${NO("list", "b")}: RBAC: clusterrole.rbac.authorization.k8s.io "nowhere" not found`],
  [
    "broken",
    "GET",
    A,
    403,
    `${NO("list", "a")}: RBAC: [clusterrole.rbac.authorization.k8s.io "nowhere" not found, role.rbac.authorization.k8s.io "nothing" not found]`,
  ],
];

for (const [name, method, path, code, message] of rows) {
  void test(`${name} ${method} ${path}: ${code}`, async () => {
    const body = ["POST", "PUT", "PATCH"].includes(method) ? { metadata: { name: "one" } } : undefined;
    const answer = await subject.ask(method, path, body, { as: who.get(name)! });
    assert.equal(answer.code, code, answer.text);
    if (code === 403 && method !== "HEAD") assert.equal(answer.body.reason, "Forbidden");
    if (message !== undefined) assert.equal(answer.body.message, message.replace("WHO", name));
  });
}

void test("a refusal says in its details what was meant", async () => {
  const as = who.get("nobody")!;
  const of = async (path: string): Promise<unknown> => (await subject.ask("GET", path, undefined, { as })).body;
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason: "Forbidden", code: 403 };
  assert.deepEqual(await of("/apis/discovery.k8s.io/v1/namespaces/a/endpointslices/x"), {
    ...status,
    message:
      'endpointslices.discovery.k8s.io "x" is forbidden: User "nobody" cannot get resource "endpointslices" in API group "discovery.k8s.io" in the namespace "a"',
    details: { name: "x", group: "discovery.k8s.io", kind: "endpointslices" },
  });
  assert.deepEqual(await of("/metrics"), {
    ...status,
    message: 'forbidden: User "nobody" cannot get path "/metrics"',
    details: {},
  });
  const { body } = await subject.ask("GET", "/a%3Cb%3E&c", undefined, { as });
  assert.equal(body.message, 'forbidden: User "nobody" cannot get path "/a&lt;b&gt;&amp;c"');
});

void test("a new binding counts for the next request, and no longer when it is gone", async () => {
  const as = who.get("nobody")!;
  const get = async (): Promise<number> => (await subject.ask("GET", `${B}/one`, undefined, { as })).code;
  // The real one reads its bindings by a watch, which may be a moment late.
  const answers = (code: number): Promise<unknown> => until(`the answer ${code}`, async () => (await get()) === code);
  await bind("b", "later", "ClusterRole", "all-of-core", [user("nobody")]);
  if (!subject.isFairlead) await answers(200);
  assert.equal(await get(), 200);
  const gone = await subject.ask("DELETE", `${RBAC}/namespaces/b/rolebindings/later`);
  assert.equal(gone.code, 200, gone.text);
  if (!subject.isFairlead) await answers(403);
  assert.equal(await get(), 403);
});
