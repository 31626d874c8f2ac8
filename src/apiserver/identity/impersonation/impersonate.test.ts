import assert from "node:assert/strict";
import { test } from "node:test";
import { requestInfo, type Attributes } from "../../access/attributes.ts";
import type { Authorizer } from "../../access/authorizer.ts";
import type { Identity } from "../identity.ts";
import { impersonate } from "./impersonate.ts";
import { wantedIdentity } from "./wanted.ts";

const PODS = requestInfo("GET", "/api/v1/namespaces/a/pods", new URLSearchParams());
const JANE: Identity = { user: "jane", groups: ["system:authenticated"] };

/** `impersonate users bob` or `impersonate:user-info authentication.k8s.io/groups a`: what is asked of the judges, in short. */
function brief(attributes: Attributes): string {
  if (attributes.resource === undefined) return `${attributes.verb} ${attributes.path}`;
  const { verb, group, resource, subresource, namespace, name } = attributes;
  const what = `${group === "" ? "" : `${group}/`}${resource}${subresource === "" ? "" : `/${subresource}`}`;
  return [verb, what, ...(namespace === "" ? [] : [`in ${namespace}`]), ...(name === "" ? [] : [name])].join(" ");
}

/** Allows just this; what it was asked is kept. */
function judge(...allowed: readonly string[]): Authorizer & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    name: "test",
    asked,
    decide(attributes) {
      asked.push(brief(attributes));
      return { verdict: allowed.includes(brief(attributes)) ? "allow" : "no opinion", reason: "" };
    },
  };
}

const wanted = (...headers: readonly string[]) => wantedIdentity(headers)!;
const tried = (
  authorizer: Authorizer,
  headers: readonly string[],
  requestor = JANE,
  info = PODS,
): Identity | string => {
  try {
    return impersonate(wanted(...headers), info, requestor, authorizer);
  } catch (error) {
    return (error as Error).message;
  }
};

const AUTH = "authentication.k8s.io";
const BOB = ["Impersonate-User", "bob"];
const ALL = [...BOB, "Impersonate-Uid", "u", "Impersonate-Group", "g", "Impersonate-Extra-Example.com%2fX", "v"];
const OLD = [
  "impersonate users bob",
  `impersonate ${AUTH}/uids u`,
  "impersonate groups g",
  `impersonate ${AUTH}/userextras/example.com/x v`,
];
const NARROW = [
  "impersonate-on:user-info:list pods in a",
  `impersonate:user-info ${AUTH}/users bob`,
  `impersonate:user-info ${AUTH}/uids u`,
  `impersonate:user-info ${AUTH}/groups g`,
  `impersonate:user-info ${AUTH}/userextras/example.com/x v`,
];
const EVERYTHING: Identity = {
  user: "bob",
  uid: "u",
  groups: ["g", "system:authenticated"],
  extra: { "example.com/x": ["v"] },
};

for (const [way, permissions] of [
  ["the verb impersonate", OLD],
  ["the narrow way", NARROW],
] as const) {
  void test(`by ${way} every part of a user must be allowed, and all together suffice`, () => {
    assert.deepEqual(tried(judge(...permissions), ALL), EVERYTHING);
    for (const missing of permissions) {
      const rest = permissions.filter((permission) => permission !== missing);
      assert.match(tried(judge(...rest), ALL) as string, /is forbidden/, missing);
    }
  });
}

void test("permissions of two ways do not make one", () => {
  const mixed = [...OLD.slice(0, 2), ...NARROW.slice(3), NARROW[0]!];
  assert.match(tried(judge(...mixed), ALL) as string, /is forbidden/);
});

void test("who may impersonate nobody is told what the first way would have needed", () => {
  for (const [headers, message] of [
    [
      BOB,
      'pods is forbidden: User "jane" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "a"',
    ],
    [
      ["Impersonate-User", "system:serviceaccount:a:b"],
      'pods is forbidden: User "jane" cannot impersonate-on:serviceaccount:list resource "pods" in API group "" in the namespace "a"',
    ],
    [
      ["Impersonate-User", "system:serviceaccount:a:b", "Impersonate-Group", "g"],
      'serviceaccounts "b" is forbidden: User "jane" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "a"',
    ],
    [
      ["Impersonate-User", "system:node:n"],
      'pods is forbidden: User "jane" cannot impersonate-on:arbitrary-node:list resource "pods" in API group "" in the namespace "a"',
    ],
  ] as const) {
    assert.equal(tried(judge(), headers), message);
  }
  const path = requestInfo("GET", "/version", new URLSearchParams());
  assert.equal(
    tried(judge(), BOB, JANE, path),
    'forbidden: User "jane" cannot impersonate-on:user-info:get path "/version"',
  );
});

void test("no narrow way leads to superusers, nameless groups or keys that no extra has", () => {
  const all: Authorizer = {
    name: "all",
    decide: ({ verb }) => ({ verdict: verb === "impersonate" ? "no opinion" : "allow", reason: "" }),
  };
  for (const [headers, why] of [
    [["Impersonate-Group", "system:masters"], /: impersonating the system:masters group is not allowed$/],
    [["Impersonate-Group", ""], /: impersonating the empty string group is not allowed$/],
    [["Impersonate-Extra-Scopes", "x"], /: impersonating an invalid key in extra is not allowed: "scopes"$/],
    [["Impersonate-Extra-A.b%2fc", ""], /: impersonating the empty string value in extra is not allowed$/],
  ] as const) {
    assert.match(tried(all, [...BOB, ...headers]) as string, why);
  }
  assert.deepEqual(tried(all, BOB), { user: "bob", groups: ["system:authenticated"] });
});

void test("ServiceAccounts and Nodes have their groups, unless others are asked for", () => {
  const all: Authorizer = { name: "all", decide: () => ({ verdict: "allow", reason: "" }) };
  for (const [headers, groups] of [
    [["system:serviceaccount:a:b"], ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"]],
    [
      ["system:serviceaccount:a:b", "Impersonate-Group", "g"],
      ["g", "system:authenticated"],
    ],
    [["system:serviceaccount:a:B"], ["system:authenticated"]],
    [["system:serviceaccount:a"], ["system:authenticated"]],
    [["system:serviceaccount:a:b:c"], ["system:authenticated"]],
    [["system:node:n"], ["system:nodes", "system:authenticated"]],
    [["system:node:N"], ["system:authenticated"]],
    [["system:anonymous"], ["system:unauthenticated"]],
    [["bob", "Impersonate-Group", "system:unauthenticated"], ["system:unauthenticated"]],
  ] as const) {
    const identity = tried(all, ["Impersonate-User", ...headers]) as Identity;
    assert.deepEqual(identity.groups, groups, headers.join());
  }
});

void test("a ServiceAccount speaks for the Node its token tells, and for no other", () => {
  const authorizer = judge(
    "impersonate-on:associated-node:list pods in a",
    `impersonate:associated-node ${AUTH}/nodes *`,
  );
  const on = (...nodes: readonly string[]): Identity => ({
    user: "system:serviceaccount:a:b",
    groups: [],
    extra: { "authentication.kubernetes.io/node-name": nodes },
  });
  const headers = ["Impersonate-User", "system:node:n"];
  assert.deepEqual(tried(authorizer, headers, on("n")), {
    user: "system:node:n",
    groups: ["system:nodes", "system:authenticated"],
  });
  for (const requestor of [on("m"), on("n", "m"), on(), { ...on("n"), user: "jane" }]) {
    assert.match(tried(authorizer, headers, requestor) as string, /cannot impersonate-on:arbitrary-node:list/);
  }
});

void test("headers: the first user and UID count, every group and extra does, and none is read from another's name", () => {
  assert.equal(wantedIdentity(["Accept", "x", "X-Impersonate-User", "y"]), undefined);
  assert.equal(wantedIdentity(["impersonate-user", "", "impersonate-unknown", "y"]), undefined);
  assert.deepEqual(
    wantedIdentity(
      [
        ["IMPERSONATE-USER", "a"],
        ["Impersonate-User", "b"],
        ["impersonate-uid", "1"],
        ["impersonate-uid", "2"],
        ["impersonate-group", "g, h"],
        ["impersonate-group", "i"],
        ["impersonate-extra-K", "1"],
        ["impersonate-extra-k", "2"],
        ["impersonate-extra-%zz", "3"],
      ].flat(),
    ),
    { user: "a", uid: "1", groups: ["g, h", "i"], extra: { k: ["1", "2"], "%zz": ["3"] } },
  );
});
