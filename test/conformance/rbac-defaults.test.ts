import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { PolicyRule, Subject } from "../../src/api/generated/types.ts";
import { kinds } from "../../src/api/kinds.ts";
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  ROLES,
} from "../../src/apiserver/access/policy/policy.ts";
import { describeRules, uncovered } from "../../src/apiserver/access/rbac/covers.ts";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Answered, type Subject as Server } from "./subject.ts";

let server: Server;
const ROOT = "/apis/rbac.authorization.k8s.io/v1";
const get = (path: string): Promise<Answered> => server.ask("GET", `${ROOT}/${path}`);

before(async () => {
  server = await startSubject({ controllers: true });
  const last = async (): Promise<boolean> =>
    (await get("namespaces/kube-public/rolebindings/system:controller:bootstrap-signer")).code === 200 ||
    (await get("clusterrolebindings/system:service-account-issuer-discovery")).code === 200;
  await until("the default bindings", last);
  await until("the leaders' roles", async () => {
    const { code } = await get("namespaces/kube-system/rolebindings/system::leader-locking-kube-scheduler");
    return code === 200;
  });
});
after(() => server.close());

const OWN = /^system:fairlead:/;
const isJudged = ({ metadata }: { metadata: { name?: string | undefined } }): boolean =>
  isFairlead || !OWN.test(metadata.name ?? "");

/** Resources of these groups are served; what roles say of others is not compared. */
const GROUPS = new Set(["*", ...kinds.map(({ group }) => group)]);
const served = (rules: readonly PolicyRule[] = []): PolicyRule[] =>
  rules.filter(({ apiGroups }) => apiGroups === undefined || apiGroups.some((group) => GROUPS.has(group)));

for (const role of CLUSTER_ROLES.filter(isJudged)) {
  void test(`the ClusterRole ${role.metadata.name} is there, and ours allows nothing that it does not`, async () => {
    const { code, body, text } = await get(`clusterroles/${role.metadata.name}`);
    assert.equal(code, 200, text);
    assert.deepEqual(body.metadata.labels, role.metadata.labels);
    assert.deepEqual(body.metadata.annotations, role.metadata.annotations);
    assert.deepEqual(body.aggregationRule, role.aggregationRule);
    assert.equal(describeRules(uncovered(body.rules ?? [], role.rules ?? [])), "");
    // For what is served both allow the same; the monitoring pages of other parts are not.
    if (role.aggregationRule !== undefined || role.metadata.name === "system:monitoring") return;
    const groups = served(body.rules ?? []);
    const more = uncovered(role.rules ?? [], groups).filter(({ apiGroups }) => GROUPS.has(apiGroups?.[0] ?? "*"));
    const missing = more.filter(({ resources }) => !/^(persistentvolumes|pods\/finalizers)/.test(resources?.[0] ?? ""));
    assert.equal(describeRules(missing), "", "what the real one allows beside");
  });
}

const same = (one: Subject, other: Subject): boolean =>
  one.kind === other.kind && one.name === other.name && (one.namespace ?? "") === (other.namespace ?? "");
for (const binding of [...CLUSTER_ROLE_BINDINGS, ...ROLE_BINDINGS].filter(isJudged)) {
  const { name, namespace } = binding.metadata;
  void test(`the ${binding.kind} ${name} binds the same role to the same subjects`, async () => {
    const place = namespace === undefined ? "clusterrolebindings" : `namespaces/${namespace}/rolebindings`;
    const { code, body, text } = await get(`${place}/${name}`);
    assert.equal(code, 200, text);
    assert.deepEqual(body.roleRef, binding.roleRef);
    assert.deepEqual(body.metadata.labels, binding.metadata.labels);
    const said: Subject[] = body.subjects ?? [];
    const ours = binding.subjects ?? [];
    assert.equal(said.length, ours.length, text);
    for (const subject of ours)
      assert.ok(
        said.some((one) => same(one, subject)),
        JSON.stringify(subject),
      );
  });
}

for (const role of ROLES.filter(isJudged)) {
  void test(`the Role ${role.metadata.namespace}/${role.metadata.name} allows what ours does`, async () => {
    const { body, text } = await get(`namespaces/${role.metadata.namespace}/roles/${role.metadata.name}`);
    assert.deepEqual(uncovered(body.rules ?? [], role.rules ?? []), [], text);
    assert.deepEqual(uncovered(role.rules ?? [], body.rules ?? []), [], text);
  });
}

const GATHERED = { admin: ["admin", "edit", "view"], edit: ["edit", "view"], view: ["view"] };
for (const [name, parts] of Object.entries(GATHERED)) {
  void test(`the ClusterRole ${name} gathers the rules of ${parts.join(", ")}`, async () => {
    const wanted = CLUSTER_ROLES.filter(({ metadata }) =>
      parts.some((part) => metadata.name === `system:aggregate-to-${part}`),
    ).flatMap(({ rules = [] }) => rules);
    assert.ok(wanted.length > 0);
    const isWhole = async (): Promise<boolean> => {
      const { body } = await get(`clusterroles/${name}`);
      return uncovered(body.rules ?? [], wanted).length === 0;
    };
    await until("its rules", isWhole);
  });
}

void test("SVC-237: neither admin nor edit may write Endpoints or EndpointSlices; cluster-admin may", async () => {
  const writes: PolicyRule[] = ["create", "update", "patch", "delete", "deletecollection"].flatMap((verb) => [
    { verbs: [verb], apiGroups: [""], resources: ["endpoints"] },
    { verbs: [verb], apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
  ]);
  for (const name of ["admin", "edit", "view"]) {
    const isThere = async (): Promise<boolean> => ((await get(`clusterroles/${name}`)).body.rules ?? []).length > 0;
    await until("its rules", isThere);
    const { body } = await get(`clusterroles/${name}`);
    assert.equal(uncovered(body.rules, writes).length, writes.length, name);
  }
  const { body } = await get("clusterroles/cluster-admin");
  assert.deepEqual(uncovered(body.rules, writes), []);
});
