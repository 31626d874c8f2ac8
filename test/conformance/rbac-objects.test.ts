import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const GROUP = "rbac.authorization.k8s.io";
const ROOT = `/apis/${GROUP}/v1`;
const HOME = `${ROOT}/namespaces/default`;
const PATHS: Record<string, string> = {
  Role: `${HOME}/roles`,
  RoleBinding: `${HOME}/rolebindings`,
  ClusterRole: `${ROOT}/clusterroles`,
  ClusterRoleBinding: `${ROOT}/clusterrolebindings`,
};
const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
const view = { apiGroup: GROUP, kind: "ClusterRole", name: "view" };

const faulty: [what: string, kind: string, body: object, causes: string[]][] = [
  [
    "a name that is no segment of a path",
    "Role",
    { metadata: { name: "a%b" } },
    ["FieldValueInvalid metadata.name Invalid value: \"a%b\": may not contain '%'"],
  ],
  [
    "an empty rule",
    "Role",
    { rules: [{ verbs: [] }] },
    [
      "FieldValueRequired rules[0].verbs Required value: verbs must contain at least one value",
      "FieldValueRequired rules[0].apiGroups Required value: resource rules must supply at least one api group",
      "FieldValueRequired rules[0].resources Required value: resource rules must supply at least one resource",
    ],
  ],
  [
    "URLs in a namespace",
    "Role",
    { rules: [{ nonResourceURLs: ["/x"], verbs: ["get"] }] },
    [
      'FieldValueInvalid rules[0].nonResourceURLs Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ],
  ],
  [
    "URLs with resources",
    "ClusterRole",
    { rules: [{ ...pods, nonResourceURLs: ["/x"] }] },
    [
      'FieldValueInvalid rules[0].nonResourceURLs Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  ],
  [
    "an aggregation of nothing",
    "ClusterRole",
    { aggregationRule: {} },
    [
      "FieldValueRequired aggregationRule.clusterRoleSelectors Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
    ],
  ],
  [
    "no role",
    "RoleBinding",
    {},
    [
      'FieldValueNotSupported roleRef.kind Unsupported value: "": supported values: "Role", "ClusterRole"',
      "FieldValueRequired roleRef.name Required value",
    ],
  ],
  [
    "another group, kind and an impossible name",
    "RoleBinding",
    { roleRef: { apiGroup: "x", kind: "Pod", name: "a/b" } },
    [
      `FieldValueNotSupported roleRef.apiGroup Unsupported value: "x": supported values: "${GROUP}"`,
      'FieldValueNotSupported roleRef.kind Unsupported value: "Pod": supported values: "Role", "ClusterRole"',
      "FieldValueInvalid roleRef.name Invalid value: \"a/b\": may not contain '/'",
    ],
  ],
  [
    "a Role for all namespaces",
    "ClusterRoleBinding",
    { roleRef: { ...view, kind: "Role" } },
    ['FieldValueNotSupported roleRef.kind Unsupported value: "Role": supported values: "ClusterRole"'],
  ],
  [
    "subjects",
    "ClusterRoleBinding",
    {
      roleRef: view,
      subjects: [
        { kind: "User", name: "" },
        { kind: "Group", name: "g", apiGroup: "x" },
        { kind: "ServiceAccount", name: "a" },
        { kind: "ServiceAccount", name: "a", namespace: "n", apiGroup: GROUP },
        { kind: "Robot", name: "r" },
      ],
    },
    [
      "FieldValueRequired subjects[0].name Required value",
      `FieldValueNotSupported subjects[1].apiGroup Unsupported value: "x": supported values: "${GROUP}"`,
      "FieldValueRequired subjects[2].namespace Required value",
      `FieldValueNotSupported subjects[3].apiGroup Unsupported value: "${GROUP}": supported values: ""`,
      'FieldValueNotSupported subjects[4].kind Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
    ],
  ],
];

for (const [what, kind, body, causes] of faulty) {
  void test(`${kind}: ${what} is refused`, async () => {
    const answer = await subject.ask("POST", PATHS[kind]!, { metadata: { name: "faulty" }, ...body });
    assert.equal(answer.code, 422, answer.text);
    const said = answer.body.details.causes.map(
      ({ reason, field, message }: Record<string, string>) => `${reason} ${field} ${message}`,
    );
    assert.deepEqual(said.sort(), causes.sort());
  });
}

void test("a selector of an aggregation is judged as every label selector", async () => {
  const expressions = [
    { key: "a", operator: "In" },
    { key: "a", operator: "Exists", values: ["b"] },
    { key: "-", operator: "Near" },
  ];
  const answer = await subject.ask("POST", PATHS["ClusterRole"]!, {
    metadata: { name: "selects" },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "-" } }, { matchExpressions: expressions }] },
  });
  assert.equal(answer.code, 422, answer.text);
  const fields = answer.body.details.causes.map(({ reason, field }: Record<string, string>) => `${reason} ${field}`);
  const at = "aggregationRule.clusterRoleSelectors";
  assert.deepEqual(fields.sort(), [
    `FieldValueForbidden ${at}[1].matchExpressions[1].values`,
    `FieldValueInvalid ${at}[0]`,
    `FieldValueInvalid ${at}[0].matchLabels`,
    `FieldValueInvalid ${at}[1]`,
    `FieldValueInvalid ${at}[1].matchExpressions[2].key`,
    `FieldValueInvalid ${at}[1].matchExpressions[2].operator`,
    `FieldValueRequired ${at}[1].matchExpressions[0].values`,
  ]);
});

void test("names of the system, with colons, are good names", async () => {
  const made = await subject.ask("POST", PATHS["ClusterRole"]!, {
    metadata: { name: "my:role:Of_Mine" },
    rules: [pods],
  });
  assert.equal(made.code, 201, made.text);
});

void test("a binding names the group of its role and of its users; its role is for good", async () => {
  const path = PATHS["RoleBinding"]!;
  const body = {
    metadata: { name: "fixed" },
    roleRef: { kind: "ClusterRole", name: "view" },
    subjects: [
      { kind: "User", name: "u" },
      { kind: "ServiceAccount", name: "a" },
    ],
  };
  const made = await subject.ask("POST", path, body);
  assert.equal(made.code, 201, made.text);
  assert.deepEqual(made.body.roleRef, view);
  assert.deepEqual(made.body.subjects, [
    { kind: "User", name: "u", apiGroup: GROUP },
    { kind: "ServiceAccount", name: "a" },
  ]);
  const other = await subject.ask("PUT", `${path}/fixed`, { ...body, roleRef: { ...view, name: "edit" } });
  assert.equal(other.code, 422, other.text);
  assert.equal(
    other.body.message,
    `RoleBinding.${GROUP} "fixed" is invalid: roleRef: Invalid value: {"APIGroup":"${GROUP}","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef`,
  );
  const fewer = await subject.ask("PUT", `${path}/fixed`, { ...body, subjects: [] });
  assert.equal(fewer.code, 200, fewer.text);
});

void test("PUT makes what is not there; DELETE answers with a Status", async () => {
  const body = { metadata: { name: "put" }, rules: [pods] };
  const put = await subject.ask("PUT", `${PATHS["Role"]}/put`, body);
  assert.equal(put.code, 201, put.text);
  const gone = await subject.ask("DELETE", `${PATHS["Role"]}/put`);
  assert.deepEqual([gone.code, gone.body.kind, gone.body.details.kind], [200, "Status", "roles"]);
});

void test("a strategic patch puts its rules in the place of all others", async () => {
  await subject.ask("POST", PATHS["Role"]!, { metadata: { name: "patched" }, rules: [pods] });
  const rules = [{ ...pods, verbs: ["list"] }];
  const headers = { "content-type": "application/strategic-merge-patch+json" };
  const patched = await subject.ask("PATCH", `${PATHS["Role"]}/patched`, { rules }, { headers });
  assert.deepEqual(patched.body.rules, rules);
});

const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
void test("tables: roles by name and creation, bindings by role and age, with subjects when wide", async () => {
  await subject.ask("POST", PATHS["Role"]!, { metadata: { name: "shown" }, rules: [pods] });
  await subject.ask("POST", PATHS["RoleBinding"]!, {
    metadata: { name: "shown" },
    roleRef: view,
    subjects: [
      { kind: "User", name: "u" },
      { kind: "User", name: "v" },
      { kind: "Group", name: "g" },
      { kind: "ServiceAccount", name: "a", namespace: "n" },
    ],
  });
  const table = async (path: string) => (await subject.ask("GET", path, undefined, { headers: TABLE })).body;
  const columns = ({ columnDefinitions }: { columnDefinitions: Record<string, unknown>[] }): unknown[] =>
    columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority]);
  const role = await table(`${PATHS["Role"]}/shown`);
  assert.deepEqual(columns(role), [
    ["Name", "string", "name", 0],
    ["Created At", "date", "", 0],
  ]);
  assert.equal(role.rows[0].cells[0], "shown");
  assert.match(role.rows[0].cells[1], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const binding = await table(`${PATHS["RoleBinding"]}/shown`);
  assert.deepEqual(columns(binding), [
    ["Name", "string", "name", 0],
    ["Role", "string", "", 0],
    ["Age", "string", "", 0],
    ["Users", "string", "", 1],
    ["Groups", "string", "", 1],
    ["ServiceAccounts", "string", "", 1],
  ]);
  const [name, to, , ...subjects] = binding.rows[0].cells;
  assert.deepEqual([name, to, ...subjects], ["shown", "ClusterRole/view", "u, v", "g", "n/a"]);
});

void test("discovery: four resources without short names", async () => {
  const { body } = await subject.ask("GET", ROOT);
  const said = body.resources.map(
    ({ name, kind, namespaced, singularName, shortNames, verbs }: Record<string, unknown>) => [
      name,
      kind,
      namespaced,
      singularName,
      shortNames,
      (verbs as string[]).length,
    ],
  );
  assert.deepEqual(said, [
    ["clusterrolebindings", "ClusterRoleBinding", false, "clusterrolebinding", undefined, 8],
    ["clusterroles", "ClusterRole", false, "clusterrole", undefined, 8],
    ["rolebindings", "RoleBinding", true, "rolebinding", undefined, 8],
    ["roles", "Role", true, "role", undefined, 8],
  ]);
});
