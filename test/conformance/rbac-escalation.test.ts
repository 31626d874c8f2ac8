import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pair } from "../apiserver/certificates.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
let jane: Pair;
let escalator: Pair;
let binder: Pair;
let owner: Pair;
const GROUP = "rbac.authorization.k8s.io";
const ROOT = `/apis/${GROUP}/v1`;
const IN_A = `${ROOT}/namespaces/a`;

const user = (name: string) => ({ kind: "User", name, apiGroup: GROUP });
const roleRef = (kind: string, name: string) => ({ apiGroup: GROUP, kind, name });
const pods = (...verbs: string[]) => ({ apiGroups: [""], resources: ["pods"], verbs });
const ROLES = "roles rolebindings clusterroles clusterrolebindings".split(" ");

const make = async (path: string, body: object): Promise<void> => {
  const { code, text } = await subject.ask("POST", path, body);
  assert.equal(code, 201, text);
};
const clusterRole = (name: string, rules: object[]): Promise<void> =>
  make(`${ROOT}/clusterroles`, { metadata: { name }, rules });
const bindAll = (name: string, to: string, who: string): Promise<void> =>
  make(`${ROOT}/clusterrolebindings`, {
    metadata: { name },
    roleRef: roleRef("ClusterRole", to),
    subjects: [user(who)],
  });
const forbidden = (answer: Answered, message: string): void => {
  assert.equal(answer.code, 403, answer.text);
  assert.equal(answer.body.message, message);
};

before(async () => {
  subject = await startSubject();
  await make("/api/v1/namespaces", { metadata: { name: "a" } });
  await clusterRole("writes-roles", [
    { apiGroups: [GROUP], resources: ROLES, verbs: ["get", "list", "create", "update", "patch", "delete"] },
  ]);
  await clusterRole("reads-pods", [pods("get", "list")]);
  await clusterRole("escalates", [
    { apiGroups: [GROUP], resources: ["roles"], verbs: ["escalate"] },
    { apiGroups: [GROUP], resources: ["clusterroles"], verbs: ["escalate"], resourceNames: ["mine"] },
  ]);
  await clusterRole("binds", [
    { apiGroups: [GROUP], resources: ["clusterroles"], verbs: ["bind"], resourceNames: ["edit-services"] },
  ]);
  await clusterRole("edit-services", [{ apiGroups: [""], resources: ["services"], verbs: ["update"] }]);
  for (const who of ["jane", "escalator", "binder"]) await bindAll(`writes-${who}`, "writes-roles", who);
  await bindAll("reads-jane", "reads-pods", "jane");
  await bindAll("escalates", "escalates", "escalator");
  await bindAll("binds", "binds", "binder");
  await bindAll("owns", "cluster-admin", "owner");
  await make(`${IN_A}/rolebindings`, {
    metadata: { name: "secrets" },
    roleRef: roleRef("Role", "secrets"),
    subjects: [user("jane")],
  });
  await make(`${IN_A}/roles`, {
    metadata: { name: "secrets" },
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["one"] }],
  });
  [jane, escalator, binder, owner] = await Promise.all([
    subject.client("O=team, CN=jane"),
    subject.client("CN=escalator"),
    subject.client("CN=binder"),
    subject.client("CN=owner"),
  ]);
  const may = async (): Promise<boolean> => {
    const { code } = await subject.ask("GET", `${ROOT}/clusterroles/edit-services`, undefined, { as: owner });
    return code === 200;
  };
  await until("the last binding to count", may);
});
after(() => subject.close());

const WHO =
  'user "jane" (groups=["team" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:';

void test("a role may hold what its writer holds", async () => {
  const held = await subject.ask(
    "POST",
    `${IN_A}/roles`,
    { metadata: { name: "held" }, rules: [pods("list")] },
    { as: jane },
  );
  assert.equal(held.code, 201, held.text);
  const name = { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["one"] };
  const there = await subject.ask(
    "POST",
    `${IN_A}/roles`,
    { metadata: { name: "there" }, rules: [name] },
    { as: jane },
  );
  assert.equal(there.code, 201, there.text);
});

void test("what its writer does not hold is refused, and named: verbs of a resource together", async () => {
  const rules = [
    pods("get", "watch", "delete"),
    { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["one", "two"] },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["*"] },
  ];
  forbidden(
    await subject.ask("POST", `${IN_A}/roles`, { metadata: { name: "more" }, rules }, { as: jane }),
    `roles.${GROUP} "more" is forbidden: ${WHO}\n` +
      '{APIGroups:[""], Resources:["pods"], Verbs:["watch" "delete"]}\n' +
      '{APIGroups:[""], Resources:["secrets"], ResourceNames:["two"], Verbs:["get"]}\n' +
      '{APIGroups:["apps"], Resources:["deployments"], Verbs:["*"]}',
  );
});

void test("what is held in a namespace does not count for a ClusterRole", async () => {
  const rules = [
    { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["one"] },
    { nonResourceURLs: ["/metrics", "/api"], verbs: ["get"] },
  ];
  forbidden(
    await subject.ask("POST", `${ROOT}/clusterroles`, { metadata: { name: "more" }, rules }, { as: jane }),
    `clusterroles.${GROUP} "more" is forbidden: ${WHO}\n` +
      '{APIGroups:[""], Resources:["secrets"], ResourceNames:["one"], Verbs:["get"]}\n' +
      '{NonResourceURLs:["/metrics"], Verbs:["get"]}',
  );
});

void test("an update and a patch are judged as a creation; one that changes no rule is not, nor is a deletion", async () => {
  const path = `${IN_A}/roles/changing`;
  await make(`${IN_A}/roles`, { metadata: { name: "changing" }, rules: [pods("watch")] });
  const update = { metadata: { name: "changing" }, rules: [pods("watch"), pods("get")] };
  const message = `roles.${GROUP} "changing" is forbidden: ${WHO}\n{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}`;
  forbidden(await subject.ask("PUT", path, update, { as: jane }), message);
  const headers = { "content-type": "application/merge-patch+json" };
  forbidden(await subject.ask("PATCH", path, { metadata: { labels: { a: "b" } } }, { as: jane, headers }), message);
  const released = await subject.ask("PATCH", path, { metadata: { finalizers: ["a/b"] } }, { as: jane, headers });
  assert.equal(released.code, 200, released.text);
  const freed = await subject.ask("PATCH", path, { metadata: { finalizers: null } }, { as: jane, headers });
  assert.equal(freed.code, 200, freed.text);
  const less = await subject.ask("PUT", path, { metadata: { name: "changing" }, rules: [pods("get")] }, { as: jane });
  assert.equal(less.code, 200, less.text);
  assert.equal((await subject.ask("DELETE", path, undefined, { as: jane })).code, 200);
});

void test("PUT makes a role that is not there, if its writer holds it", async () => {
  const put = (name: string, verb: string): Promise<Answered> =>
    subject.ask("PUT", `${IN_A}/roles/${name}`, { metadata: { name }, rules: [pods(verb)] }, { as: jane });
  assert.equal((await put("put-held", "get")).code, 201);
  assert.equal((await put("put-more", "delete")).code, 403);
});

void test("the verb escalate on roles lifts this", async () => {
  const role = { metadata: { name: "any" }, rules: [pods("*")] };
  const made = await subject.ask("POST", `${IN_A}/roles`, role, { as: escalator });
  assert.equal(made.code, 201, made.text);
  // A request to create has no name that a rule with names could mean; one to update has.
  const mine = { metadata: { name: "mine" }, rules: [pods("*")] };
  assert.equal((await subject.ask("POST", `${ROOT}/clusterroles`, mine, { as: escalator })).code, 403);
  await make(`${ROOT}/clusterroles`, { metadata: { name: "mine" }, rules: [] });
  const updated = await subject.ask("PUT", `${ROOT}/clusterroles/mine`, mine, { as: escalator });
  assert.equal(updated.code, 200, updated.text);
});

void test("only a role that one holds may be bound, or with the verb bind on it", async () => {
  const bind = (name: string, kind: string, to: string, as: Pair): Promise<Answered> =>
    subject.ask(
      "POST",
      `${IN_A}/rolebindings`,
      { metadata: { name }, roleRef: roleRef(kind, to), subjects: [user("x")] },
      { as },
    );
  assert.equal((await bind("b1", "ClusterRole", "reads-pods", jane)).code, 201);
  assert.equal((await bind("b2", "Role", "secrets", jane)).code, 201);
  forbidden(
    await bind("b3", "ClusterRole", "edit-services", jane),
    `rolebindings.${GROUP} "b3" is forbidden: ${WHO}\n{APIGroups:[""], Resources:["services"], Verbs:["update"]}`,
  );
  assert.equal((await bind("b4", "ClusterRole", "edit-services", binder)).code, 201);
  assert.equal((await bind("b5", "ClusterRole", "reads-pods", binder)).code, 403);
  const missing = await bind("b6", "ClusterRole", "nowhere", jane);
  assert.deepEqual([missing.code, missing.body.message], [404, `rolebindings.${GROUP} "nowhere" not found`]);
  const absent = await bind("b7", "Role", "nowhere", jane);
  assert.deepEqual([absent.code, absent.body.message], [404, `rolebindings.${GROUP} "nowhere" not found`]);
  const all = await subject.ask(
    "POST",
    `${ROOT}/clusterrolebindings`,
    { metadata: { name: "b8" }, roleRef: roleRef("ClusterRole", "edit-services"), subjects: [user("x")] },
    { as: jane },
  );
  assert.equal(all.code, 403, all.text);
});

void test("an aggregation takes everything, since it may gather anything", async () => {
  const body = {
    metadata: { name: "gathers" },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] },
  };
  forbidden(
    await subject.ask("POST", `${ROOT}/clusterroles`, body, { as: jane }),
    `clusterroles.${GROUP} "gathers" is forbidden: must have cluster-admin privileges to use the aggregationRule`,
  );
  const made = await subject.ask("POST", `${ROOT}/clusterroles`, body, { as: owner });
  assert.equal(made.code, 201, made.text);
  const plain = { metadata: { name: "gathers" }, rules: [] };
  assert.equal((await subject.ask("PUT", `${ROOT}/clusterroles/gathers`, plain, { as: jane })).code, 403);
});

void test("whoever is bound to cluster-admin may give anything away", async () => {
  const made = await subject.ask(
    "POST",
    `${ROOT}/clusterroles`,
    {
      metadata: { name: "root" },
      rules: [
        { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
        { nonResourceURLs: ["*"], verbs: ["*"] },
      ],
    },
    { as: owner },
  );
  assert.equal(made.code, 201, made.text);
});

void test("a broken binding of the writer is told with the refusal", async () => {
  await bindAll("broken", "nowhere", "jane");
  const refused = async (): Promise<Answered> =>
    subject.ask("POST", `${IN_A}/roles`, { metadata: { name: "w" }, rules: [pods("watch")] }, { as: jane });
  await until("the broken binding to count", async () => String((await refused()).body.message).includes("resolution"));
  forbidden(
    await refused(),
    `roles.${GROUP} "w" is forbidden: ${WHO}\n{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}; resolution errors: [roles.${GROUP} "nowhere" not found]`,
  );
});
