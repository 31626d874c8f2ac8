import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pair } from "../apiserver/certificates.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type AskOptions, type Subject } from "./subject.ts";

let subject: Subject;
let jane: Pair;
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const ROOT = "/apis/authorization.k8s.io/v1";
const GROUP = "rbac.authorization.k8s.io";

const make = async (path: string, body: object): Promise<void> => {
  const { code, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
};
const self = (spec: object, as: AskOptions["as"]): Promise<Answered> =>
  subject.ask("POST", `${ROOT}/selfsubjectaccessreviews`, { spec }, as === undefined ? {} : { as });
const other = (spec: object): Promise<Answered> => subject.ask("POST", `${ROOT}/subjectaccessreviews`, { spec });
const local = (spec: object, options: AskOptions = {}): Promise<Answered> =>
  subject.ask("POST", `${ROOT}/namespaces/a/localsubjectaccessreviews`, { spec }, options);

before(async () => {
  subject = await startSubject();
  jane = await subject.client("O=team, CN=jane");
  await make("/api/v1/namespaces", { metadata: { name: "a" } });
  await make(`${RBAC}/namespaces/a/roles`, {
    metadata: { name: "reader" },
    rules: [{ apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get", "list"], resourceNames: ["p"] }],
  });
  await make(`${RBAC}/namespaces/a/rolebindings`, {
    metadata: { name: "readers" },
    roleRef: { apiGroup: GROUP, kind: "Role", name: "reader" },
    subjects: [
      { kind: "ServiceAccount", name: "robot", namespace: "b" },
      { kind: "Group", name: "team", apiGroup: GROUP },
    ],
  });
  await make(`${RBAC}/clusterrolebindings`, {
    metadata: { name: "broken" },
    roleRef: { apiGroup: GROUP, kind: "ClusterRole", name: "nowhere" },
    subjects: [{ kind: "User", name: "broken", apiGroup: GROUP }],
  });
  const counts = async (): Promise<boolean> => {
    const { body } = await other({ user: "broken", resourceAttributes: { verb: "get", resource: "pods" } });
    return body.status.reason !== undefined;
  };
  await until("the bindings to count", counts);
});
after(() => subject.close());

const pod = { verb: "get", resource: "pods", namespace: "a", name: "p" };

void test("SelfSubjectAccessReview: allowed with the role and the binding, or not allowed", async () => {
  const yes = await self({ resourceAttributes: pod }, jane);
  assert.equal(yes.code, 201, yes.text);
  assert.equal(yes.body.kind, "SelfSubjectAccessReview");
  assert.deepEqual(yes.body.spec, { resourceAttributes: pod });
  const reason = 'RBAC: allowed by RoleBinding "readers/a" of Role "reader" to Group "team"';
  assert.deepEqual(yes.body.status, { allowed: true, reason });
  for (const change of [{ name: "q" }, { name: undefined }, { verb: "watch" }, { namespace: "b" }, { group: "apps" }]) {
    const no = await self({ resourceAttributes: { ...pod, ...change } }, jane);
    assert.deepEqual(no.body.status, { allowed: false }, JSON.stringify(change));
  }
  const log = await self({ resourceAttributes: { ...pod, subresource: "log" } }, jane);
  assert.equal(log.body.status.allowed, true);
  const url = await self({ nonResourceAttributes: { verb: "get", path: "/api/v1" } }, jane);
  assert.deepEqual(url.body.status, {
    allowed: true,
    reason:
      'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"',
  });
});

void test("SelfSubjectAccessReview: whoever is in system:masters may, without a reason", async () => {
  const { body } = await self({ resourceAttributes: { verb: "*", resource: "*", group: "*" } }, "admin");
  assert.deepEqual(body.status, { allowed: true });
});

void test("SubjectAccessReview: about a user, a group or a ServiceAccount", async () => {
  const about = async (who: object): Promise<unknown> => (await other({ ...who, resourceAttributes: pod })).body.status;
  const reason = (whom: string) => `RBAC: allowed by RoleBinding "readers/a" of Role "reader" to ${whom}`;
  assert.deepEqual(await about({ user: "x" }), { allowed: false });
  assert.deepEqual(await about({ groups: ["team"] }), { allowed: true, reason: reason('Group "team"') });
  assert.deepEqual(await about({ user: "system:serviceaccount:b:robot" }), {
    allowed: true,
    reason: reason('ServiceAccount "robot/b"'),
  });
  assert.deepEqual(await about({ user: "broken" }), {
    allowed: false,
    reason: `RBAC: clusterrole.${GROUP} "nowhere" not found`,
  });
});

void test("LocalSubjectAccessReview: about its own namespace", async () => {
  const yes = await local({ user: "x", groups: ["team"], resourceAttributes: pod });
  assert.equal(yes.code, 201, yes.text);
  assert.equal(yes.body.metadata.namespace, "a");
  assert.equal(yes.body.status.allowed, true);
});

const causes = (answer: Answered): string[] =>
  answer.body.details.causes.map(
    ({ reason, field, message }: Record<string, string>) => `${reason} ${field}: ${message}`,
  );

void test("questions that cannot be answered are refused with the field and why", async () => {
  const nothing = await self({}, "admin");
  assert.equal(nothing.code, 422, nothing.text);
  assert.deepEqual(causes(nothing), [
    "FieldValueInvalid spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
  ]);
  const both = await self({ resourceAttributes: pod, nonResourceAttributes: { verb: "get", path: "/" } }, "admin");
  assert.deepEqual(causes(both), [
    'FieldValueInvalid spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination with resourceAttributes',
  ]);
  const nobody = await other({ resourceAttributes: pod });
  assert.deepEqual(causes(nobody), [
    'FieldValueInvalid spec.user: Invalid value: "": at least one of user or group must be specified',
  ]);
  const place = await local({ user: "x", resourceAttributes: { ...pod, namespace: "b" } });
  assert.deepEqual(causes(place), [
    'FieldValueInvalid spec.resourceAttributes.namespace: Invalid value: "b": must match metadata.namespace',
  ]);
  const url = await local({ user: "x", nonResourceAttributes: { verb: "get", path: "/" } });
  assert.deepEqual(causes(url), [
    'FieldValueInvalid spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: disallowed on this kind of request',
  ]);
  const selector = await self({ resourceAttributes: { ...pod, fieldSelector: {} } }, "admin");
  assert.deepEqual(causes(selector), [
    "FieldValueRequired spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required",
  ]);
  const named = await subject.ask("POST", `${ROOT}/selfsubjectaccessreviews`, {
    metadata: { name: "x" },
    spec: { resourceAttributes: pod },
  });
  assert.equal(named.code, 422);
  assert.equal(named.body.details.causes[0].field, "metadata");
  assert.match(named.body.details.causes[0].message, /must be empty$/);
});

void test("the refusal of a question names its group and no kind", async () => {
  const { body } = await self({}, "admin");
  assert.deepEqual(
    [body.reason, body.details.group, body.details.kind, body.details.name],
    ["Invalid", "authorization.k8s.io", undefined, undefined],
  );
  assert.equal(
    body.message,
    '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
  );
});

void test("SelfSubjectRulesReview: all rules of a namespace, resources and URLs apart", async () => {
  const ask = (namespace: string, as: AskOptions["as"]): Promise<Answered> =>
    subject.ask("POST", `${ROOT}/selfsubjectrulesreviews`, { spec: { namespace } }, as === undefined ? {} : { as });
  const { code, body, text } = await ask("a", jane);
  assert.equal(code, 201, text);
  assert.equal(body.status.incomplete, false);
  assert.ok(
    body.status.resourceRules.some((rule: object) => {
      const wanted = { verbs: ["get", "list"], apiGroups: [""], resources: ["pods", "pods/log"], resourceNames: ["p"] };
      return JSON.stringify(rule) === JSON.stringify(wanted);
    }),
    text,
  );
  const basic = { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] };
  assert.ok(
    body.status.resourceRules.some((rule: object) => JSON.stringify(rule) === JSON.stringify(basic)),
    text,
  );
  const urls = body.status.nonResourceRules.flatMap((rule: { nonResourceURLs: string[] }) => rule.nonResourceURLs);
  assert.ok(urls.includes("/openapi/*") && urls.includes("/version"), text);
  const elsewhere = await ask("b", jane);
  assert.ok(!elsewhere.text.includes("pods/log"), elsewhere.text);
  const none = await ask("", jane);
  assert.deepEqual([none.code, none.body.reason, none.body.message], [400, "BadRequest", "no namespace on request"]);
  const admin = await ask("a", "admin");
  assert.ok(admin.body.status.resourceRules.some(({ verbs }: { verbs: string[] }) => verbs.includes("*")));
  const node = await ask("a", await subject.client("O=system:nodes, CN=system:node:n"));
  assert.equal(node.body.status.incomplete, true);
  assert.equal(node.body.status.evaluationError, "node authorizer does not support user rule resolution");
});

void test("who may ask what: everybody about themselves, about others only with a role", async () => {
  const as = await subject.client("CN=plain");
  assert.equal((await self({ resourceAttributes: pod }, as)).code, 201);
  const spec = { user: "x", resourceAttributes: pod };
  const refused = await subject.ask("POST", `${ROOT}/subjectaccessreviews`, { spec }, { as });
  assert.equal(refused.code, 403);
  assert.equal((await local(spec, { as })).code, 403);
  const nameless = await self({ resourceAttributes: pod }, "anonymous");
  assert.equal(nameless.code, 403);
});

void test("a question can be neither read nor listed", async () => {
  for (const method of ["GET", "PUT", "DELETE"]) {
    const { code } = await subject.ask(method, `${ROOT}/selfsubjectaccessreviews`, method === "PUT" ? {} : undefined);
    assert.equal(code, 405, method);
  }
});
