import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import type { Kind } from "../../api/kind.ts";
import { pod as podKind } from "../../api/pod/pod.ts";
import { serviceAccount } from "../../api/serviceAccount/serviceAccount.ts";
import { isApiError } from "../../api/status.ts";
import type { Authorizer } from "../access/authorizer.ts";
import type { Context } from "../context.ts";
import type { Identity } from "../identity/identity.ts";
import { objectKey } from "../keys.ts";
import { KindIndex } from "../route.ts";
import type { AdmissionRequest } from "./admission.ts";
import { nodeRestriction } from "./node-restriction.ts";

const NODE: Identity = { user: "system:node:one", groups: ["system:nodes", "system:authenticated"] };
const pod = (name: string, nodeName: string, audience?: string): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "default", name, uid: `uid-${name}` },
  spec: {
    nodeName,
    containers: [],
    volumes: [
      {
        name: "t",
        projected: {
          sources: [{ serviceAccountToken: { path: "t", ...(audience === undefined ? {} : { audience }) } }],
        },
      },
    ],
  },
});

/** A server that has these pods, and roles that let a node ask for tokens for `vault`. */
function contextWith(...pods: Pod[]): Context {
  const items = new Map(
    pods.map((object) => {
      const key = objectKey(podKind, { namespace: "default", name: object.metadata.name ?? "" });
      return [key, { key, revision: 1, object, text: "" }];
    }),
  );
  const authorizer: Authorizer = {
    name: "test",
    decide: ({ verb, resource }) => ({
      verdict: verb === "request-serviceaccounts-token-audience" && resource === "vault" ? "allow" : "no opinion",
      reason: "",
    }),
  };
  return {
    kinds: new KindIndex([podKind, serviceAccount] as readonly Kind[]),
    cache: { of: () => ({ get: (key: string) => items.get(key) }) },
    store: { get: async () => ({ entry: undefined }) },
    authorizer,
  } as unknown as Context;
}

async function said(context: Context, spec: object, identity = NODE): Promise<string> {
  const next = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: {}, spec };
  const request: AdmissionRequest = {
    identity,
    operation: "create",
    kind: serviceAccount,
    subresource: "token",
    namespace: "default",
    name: "robot",
    next,
    previous: undefined,
    dryRun: false,
    isRetry: false,
    warn: () => {},
  };
  try {
    await nodeRestriction.admit!(request, context);
    return "";
  } catch (error) {
    if (!isApiError(error)) throw error;
    return error.message.replace('serviceaccounts "robot" is forbidden: ', "");
  }
}
const bound = (name: string, more: object = {}) => ({
  boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid: `uid-${name}`, ...more },
});

const pods = [pod("mine", "one"), pod("other", "two"), pod("named", "one", "db")];
const rows: [what: string, spec: object, refusal: string][] = [
  ["for its own pod", bound("mine"), ""],
  ["bound to nothing", {}, "node requested token not bound to a pod"],
  ["bound to a Secret", bound("mine", { kind: "Secret" }), "node requested token not bound to a pod"],
  ["without a uid", bound("mine", { uid: "" }), "node requested token with a pod binding without a uid"],
  ["for a pod of another node", bound("other"), "node requested token bound to a pod scheduled on a different node"],
  ["for a pod that is not there", bound("gone"), 'pods "gone" not found'],
  [
    "for an earlier pod of that name",
    bound("mine", { uid: "old" }),
    "the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated",
  ],
  ["for several audiences", { ...bound("mine"), audiences: ["a", "b"] }, "node may only request 0 or 1 audiences"],
  ["for an audience that the pod mounts", { ...bound("named"), audiences: ["db"] }, ""],
  ["for an audience that roles allow", { ...bound("mine"), audiences: ["vault"] }, ""],
  [
    "for any other audience",
    { ...bound("mine"), audiences: ["db"] },
    'audience "db" not found in pod spec volume, system:node:one is not authorized to request tokens for this audience',
  ],
];
for (const [what, spec, refusal] of rows) {
  void test(`NodeRestriction: a token ${what} is ${refusal === "" ? "given" : "refused"}`, async () => {
    assert.equal(await said(contextWith(...pods), spec), refusal);
  });
}

void test("NodeRestriction: whoever is no node is not its affair; a node without a name gets nothing", async () => {
  const context = contextWith(...pods);
  assert.equal(await said(context, {}, { user: "jane", groups: [] }), "");
  assert.match(await said(context, {}, { ...NODE, user: "system:node:" }), /could not determine node from user/);
});
