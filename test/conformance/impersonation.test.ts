import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pair } from "../apiserver/certificates.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type AskOptions, type Subject } from "./subject.ts";
import { tokensOf } from "./tokens.ts";

let subject: Subject;
let tokens: ReturnType<typeof tokensOf>;
let jane: Pair;
before(async () => {
  subject = await startSubject();
  tokens = tokensOf(subject);
  jane = await subject.client("CN=jane");
});
after(() => subject.close());

type Headers = NonNullable<AskOptions["headers"]>;

/** A master of its own for each question: the real server remembers by which way a user came last, and goes it first. */
let masters = 0;
const master = (): Promise<Pair> => subject.client(`O=system:masters, CN=master-${(masters += 1)}`);

const whoami = async (headers: Headers): Promise<Answered> => tokens.whoami({ headers, as: await master() });

const GROUPS = "system:authenticated";
const BOT = "system:serviceaccount:default:bot";

for (const [what, headers, expected] of [
  ["a user", { "impersonate-user": "bob" }, { username: "bob", groups: [GROUPS] }],
  [
    "groups, each header one, commas and all",
    { "impersonate-user": "bob", "impersonate-group": ["a", "b, c"] },
    { username: "bob", groups: ["a", "b, c", GROUPS] },
  ],
  [
    "a group of everybody known, once",
    { "impersonate-user": "bob", "impersonate-group": [GROUPS, "a"] },
    { username: "bob", groups: [GROUPS, "a"] },
  ],
  [
    "the superusers' group",
    { "impersonate-user": "bob", "impersonate-group": "system:masters" },
    { username: "bob", groups: ["system:masters", GROUPS] },
  ],
  [
    "a UID and extras, whose keys are unescaped and small",
    {
      "impersonate-user": "bob",
      "impersonate-uid": "u-1",
      "Impersonate-Extra-Example.com%2FScopes": ["a", "b"],
      "impersonate-extra-example.com%2fother": "c",
    },
    {
      username: "bob",
      uid: "u-1",
      groups: [GROUPS],
      extra: { "example.com/scopes": ["a", "b"], "example.com/other": ["c"] },
    },
  ],
  [
    "an extra with a broken escape, as it stands",
    { "impersonate-user": "bob", "impersonate-extra-a%zz": "x" },
    { username: "bob", groups: [GROUPS], extra: { "a%zz": ["x"] } },
  ],
  [
    "a ServiceAccount, with its groups",
    { "impersonate-user": BOT },
    { username: BOT, groups: ["system:serviceaccounts", "system:serviceaccounts:default", GROUPS] },
  ],
  [
    "a ServiceAccount with groups asked for, which are all it has",
    { "impersonate-user": BOT, "impersonate-group": "a" },
    { username: BOT, groups: ["a", GROUPS] },
  ],
  [
    "a name that no ServiceAccount can have, as any user",
    { "impersonate-user": "system:serviceaccount:default:Bad_Name" },
    { username: "system:serviceaccount:default:Bad_Name", groups: [GROUPS] },
  ],
  [
    "a Node, with the Nodes' group",
    { "impersonate-user": "system:node:n1" },
    { username: "system:node:n1", groups: ["system:nodes", GROUPS] },
  ],
  [
    "a Node with a UID, as any user",
    { "impersonate-user": "system:node:n1", "impersonate-uid": "u" },
    { username: "system:node:n1", uid: "u", groups: [GROUPS] },
  ],
  [
    "nobody, with a group that says otherwise",
    { "impersonate-user": "system:anonymous", "impersonate-group": GROUPS },
    { username: "system:anonymous", groups: [GROUPS, "system:unauthenticated"] },
  ],
] as const) {
  void test(`impersonated: ${what}`, async () => {
    const { code, body, text } = await whoami(headers as unknown as Headers);
    assert.equal(code, 201, text);
    assert.deepEqual(body.status.userInfo, expected);
  });
}

void test("an empty user is none, and parts of a user without a user are refused", async () => {
  const empty = await whoami({ "impersonate-user": "" });
  assert.equal(empty.code, 201);
  assert.match(empty.body.status.userInfo.username, /^master-/);
  for (const headers of [
    { "impersonate-group": "a" },
    { "impersonate-uid": "a" },
    { "impersonate-extra-a": "a" },
    { "impersonate-user": "", "impersonate-group": "a" },
  ] as Headers[]) {
    const { code, body } = await whoami(headers);
    assert.deepEqual([code, body.reason], [400, "BadRequest"], JSON.stringify(headers));
    assert.match(body.message, /^requested .* without impersonating a user name$/);
  }
});

void test("what the user may not do, a superuser who speaks for it may not either", async () => {
  const headers = { "impersonate-user": "system:anonymous" };
  const { code, body } = await subject.ask("GET", "/api/v1/pods", undefined, { headers, as: await master() });
  assert.equal(code, 403);
  assert.equal(
    body.message,
    'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
  );
});

void test("nobody may speak for anybody", async () => {
  const headers = { "impersonate-user": "bob" };
  const { code, body } = await tokens.whoami({ headers, as: "anonymous" });
  assert.equal(code, 403);
  assert.equal(
    body.message,
    'selfsubjectreviews.authentication.k8s.io is forbidden: User "system:anonymous" cannot impersonate-on:user-info:create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope',
  );
});

void test("a wrong token is refused before anybody is impersonated", async () => {
  const { code } = await tokens.whoami({ token: "wrong", headers: { "impersonate-group": "a" } });
  assert.equal(code, 401);
});

void test("who may not speak for others is told so by the first way there would have been", async () => {
  const on = (mode: string): string =>
    `selfsubjectreviews.authentication.k8s.io is forbidden: User "jane" cannot impersonate-on:${mode}:create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope`;
  for (const [headers, message] of [
    [{ "impersonate-user": "bob" }, on("user-info")],
    [{ "impersonate-user": "bob", "impersonate-group": "a", "impersonate-uid": "u" }, on("user-info")],
    [{ "impersonate-user": BOT }, on("serviceaccount")],
    [{ "impersonate-user": "system:node:n1" }, on("arbitrary-node")],
    [
      { "impersonate-user": BOT, "impersonate-uid": "u" },
      'serviceaccounts "bot" is forbidden: User "jane" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"',
    ],
    [
      { "impersonate-user": "system:node:n1", "impersonate-group": "a" },
      'users "system:node:n1" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
    ],
  ] as [Headers, string][]) {
    const { code, body } = await tokens.whoami({ headers, as: jane });
    assert.deepEqual([code, body.message], [403, message]);
  }
  const version = await subject.ask("GET", "/version", undefined, {
    headers: { "impersonate-user": "bob" },
    as: jane,
  });
  assert.deepEqual(
    [version.code, version.body.message],
    [403, 'forbidden: User "jane" cannot impersonate-on:user-info:get path "/version"'],
  );
});

/** Gives a user of its own these rules. */
async function userWith(name: string, rules: readonly object[]): Promise<Pair> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  for (const [plural, body] of [
    ["clusterroles", { rules }],
    [
      "clusterrolebindings",
      {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }],
      },
    ],
  ] as const) {
    const { code, text } = await subject.ask("POST", `${rbac}/${plural}`, { metadata: { name }, ...body });
    assert.equal(code, 201, text);
  }
  return subject.client(`CN=${name}`);
}

/** Asks until the server has taken in the roles. */
async function allowed(as: Pair, headers: Headers): Promise<Answered> {
  return until("the roles to count", async () => {
    const answer = await tokens.whoami({ headers, as });
    return answer.code === 201 && answer;
  });
}

void test("the verb impersonate is asked for each part of a user, and suffices whatever is asked for", async () => {
  const as = await userWith("old-way", [
    { apiGroups: [""], resources: ["users"], resourceNames: ["bob"], verbs: ["impersonate"] },
    { apiGroups: [""], resources: ["groups"], resourceNames: ["a"], verbs: ["impersonate"] },
    { apiGroups: ["authentication.k8s.io"], resources: ["uids"], resourceNames: ["u"], verbs: ["impersonate"] },
    {
      apiGroups: ["authentication.k8s.io"],
      resources: ["userextras/scopes"],
      resourceNames: ["s"],
      verbs: ["impersonate"],
    },
    { apiGroups: [""], resources: ["serviceaccounts"], resourceNames: ["bot"], verbs: ["impersonate"] },
  ]);
  const all = {
    "impersonate-user": "bob",
    "impersonate-group": "a",
    "impersonate-uid": "u",
    "impersonate-extra-scopes": "s",
  };
  assert.deepEqual((await allowed(as, all)).body.status.userInfo, {
    username: "bob",
    uid: "u",
    groups: ["a", GROUPS],
    extra: { scopes: ["s"] },
  });
  assert.equal((await allowed(as, { "impersonate-user": BOT })).body.status.userInfo.username, BOT);
  for (const other of [
    { "impersonate-user": "eve" },
    { "impersonate-group": "b" },
    { "impersonate-uid": "v" },
    { "impersonate-extra-scopes": "t" },
    { "impersonate-extra-others": "s" },
    { "impersonate-group": "system:masters" },
  ]) {
    const { code } = await tokens.whoami({ headers: { ...all, ...other }, as });
    assert.equal(code, 403, JSON.stringify(other));
  }
});

void test("a narrow way needs its verb on the user and on what is asked for", async () => {
  const as = await userWith("narrow-way", [
    {
      apiGroups: ["authentication.k8s.io"],
      resources: ["users"],
      resourceNames: ["bob"],
      verbs: ["impersonate:user-info"],
    },
    {
      apiGroups: ["authentication.k8s.io"],
      resources: ["groups"],
      verbs: ["impersonate:user-info"],
    },
    {
      apiGroups: ["authentication.k8s.io"],
      resources: ["selfsubjectreviews"],
      verbs: ["impersonate-on:user-info:create"],
    },
  ]);
  const { body } = await allowed(as, { "impersonate-user": "bob", "impersonate-group": "a" });
  assert.deepEqual(body.status.userInfo, { username: "bob", groups: ["a", GROUPS] });
  const headers = { "impersonate-user": "bob" };
  const pods = await subject.ask("GET", "/api/v1/pods", undefined, { headers, as });
  assert.deepEqual(
    [pods.code, pods.body.message],
    [
      403,
      'pods is forbidden: User "narrow-way" cannot impersonate-on:user-info:list resource "pods" in API group "" at the cluster scope',
    ],
  );
  const superuser = await tokens.whoami({ headers: { ...headers, "impersonate-group": "system:masters" }, as });
  assert.deepEqual(
    [superuser.code, superuser.body.message],
    [
      403,
      'groups.authentication.k8s.io "system:masters" is forbidden: User "narrow-way" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
    ],
  );
});

void test("a ServiceAccount whose token tells its Node may be let speak for that Node alone", async () => {
  await tokens.account("agent");
  await tokens.node("here");
  await userWith("system:serviceaccount:default:agent", [
    { apiGroups: ["authentication.k8s.io"], resources: ["nodes"], verbs: ["impersonate:associated-node"] },
    {
      apiGroups: ["authentication.k8s.io"],
      resources: ["selfsubjectreviews"],
      verbs: ["impersonate-on:associated-node:create"],
    },
  ]);
  const token = await tokens.token("agent", {}, { kind: "Node", name: "here" });
  const { body } = await until("the roles to count", async () => {
    const answer = await tokens.whoami({ token, headers: { "impersonate-user": "system:node:here" } });
    return answer.code === 201 && answer;
  });
  assert.deepEqual(body.status.userInfo, { username: "system:node:here", groups: ["system:nodes", GROUPS] });
  const other = await tokens.whoami({ token, headers: { "impersonate-user": "system:node:there" } });
  assert.equal(other.code, 403);
});
