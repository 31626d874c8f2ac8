import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole, ClusterRoleBinding } from "../../api/generated/types.ts";
import { kinds } from "../../api/kinds.ts";
import { clusterRoles } from "../../api/resources.ts";
import { systemClock } from "../../observe/clock.ts";
import { silentLog } from "../../observe/log.ts";
import { memoryStore } from "../../store/memory/memory.ts";
import type { Store } from "../../store/store.ts";
import { allow } from "../access/policy/rules.ts";
import { bound, clusterRole, gathering, group, user } from "../access/policy/objects.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES } from "../access/policy/policy.ts";
import { itemOf, storedText } from "../cache/item.ts";
import { objectKey } from "../keys.ts";
import { bootstrap } from "./bootstrap.ts";
import { reconciledBinding, reconciledRole } from "./policy.ts";

const start = (store: Store): Promise<void> =>
  bootstrap({
    store,
    serviceRanges: ["10.96.0.0/16"],
    nodePortRange: { first: 30000, last: 32767 },
    advertise: { ip: "192.0.2.1", port: 6443 },
    clock: systemClock,
    log: silentLog,
  });
const keyOf = (name: string): string => objectKey(clusterRoles, { name });
async function read(store: Store, name: string): Promise<ClusterRole> {
  const { entry } = await store.get(keyOf(name));
  return itemOf(entry!).object as ClusterRole;
}
async function write(store: Store, object: ClusterRole): Promise<void> {
  const key = keyOf(object.metadata.name!);
  await store.write([], [{ type: "put", key, value: storedText(object) }]);
}

void test("every role that is bound is there, and every object is one that the API would take", () => {
  const names = new Set(CLUSTER_ROLES.map(({ metadata }) => metadata.name ?? ""));
  for (const { roleRef } of CLUSTER_ROLE_BINDINGS) assert.ok(names.has(roleRef.name), roleRef.name);
  const local = new Set(ROLES.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  for (const { roleRef, metadata } of ROLE_BINDINGS) assert.ok(local.has(`${metadata.namespace}/${roleRef.name}`));
  for (const object of [...CLUSTER_ROLES, ...CLUSTER_ROLE_BINDINGS, ...ROLES, ...ROLE_BINDINGS]) {
    const kind = kinds.find((one) => one.kind === object.kind)!;
    assert.deepEqual(kind.validate(kind.defaults(object), undefined), [], object.metadata.name ?? "");
  }
});

void test("SVC-237: nobody is given the writing of Endpoints or EndpointSlices by a role for people", () => {
  const parts = CLUSTER_ROLES.filter(({ metadata }) => metadata.name?.startsWith("system:aggregate-to-"));
  assert.equal(parts.length, 3);
  for (const { verbs, resources } of parts.flatMap(({ rules = [] }) => rules)) {
    if (!resources?.some((name) => name === "endpoints" || name === "endpointslices")) continue;
    assert.deepEqual(verbs, ["get", "list", "watch"]);
  }
});

void test("all roles are made at the first start, in one write that etcd takes too; a second start writes nothing", async () => {
  const store = memoryStore();
  let largest = 0;
  const counting: Store = {
    ...store,
    get: (...given) => store.get(...given),
    list: (...given) => store.list(...given),
    write(conditions, operations) {
      largest = Math.max(largest, conditions.length, operations.length);
      return store.write(conditions, operations);
    },
  };
  await start(counting);
  const { metadata, rules } = await read(store, "system:public-info-viewer");
  assert.equal(metadata.labels?.["kubernetes.io/bootstrapping"], "rbac-defaults");
  assert.equal(metadata.annotations?.["rbac.authorization.kubernetes.io/autoupdate"], "true");
  assert.deepEqual(rules?.[0]?.nonResourceURLs, ["/livez", "/readyz", "/healthz", "/version", "/version/"]);
  // `--max-txn-ops` of etcd, for the operations as for the conditions.
  assert.ok(largest <= 128, `${largest} in one write`);
  const revision = await store.revision();
  await start(counting);
  assert.equal(await store.revision(), revision);
});

void test("a start adds what somebody took away, unless the role is not to be updated", async () => {
  const store = memoryStore();
  await start(store);
  const viewer = await read(store, "system:public-info-viewer");
  await write(store, { ...viewer, rules: [] });
  const admin = await read(store, "cluster-admin");
  const annotations = { ...admin.metadata.annotations, "rbac.authorization.kubernetes.io/autoupdate": "false" };
  await write(store, { ...admin, rules: [], metadata: { ...admin.metadata, annotations } });
  await start(store);
  assert.equal((await read(store, "system:public-info-viewer")).rules?.length, 5);
  assert.deepEqual((await read(store, "cluster-admin")).rules, []);
});

void test("reconciledRole: what others have added stays, what is missing is added, an aggregation nobody wants goes", () => {
  const wanted = clusterRole("x", allow("get list", "core", "pods"));
  const stored: ClusterRole = {
    ...gathering("x"),
    metadata: { name: "x", labels: { mine: "1" }, annotations: { mine: "1" } },
    rules: [allow("get", "core", "pods secrets")],
  };
  const next = reconciledRole(stored, wanted);
  assert.deepEqual(next.rules, [allow("get", "core", "pods secrets"), allow("list", "core", "pods")]);
  assert.equal(next.aggregationRule, undefined);
  assert.deepEqual(next.metadata.labels, { mine: "1", "kubernetes.io/bootstrapping": "rbac-defaults" });
  assert.deepEqual(reconciledRole(next, wanted), next);
});

void test("reconciledRole: an aggregated role keeps its rules and selectors, and gains those that are missing", () => {
  const other = { matchLabels: { mine: "1" } };
  const rules = [allow("get", "core", "pods")];
  const stored: ClusterRole = { ...gathering("x"), aggregationRule: { clusterRoleSelectors: [other] }, rules };
  const next = reconciledRole(stored, gathering("x"));
  assert.deepEqual(next.rules, rules);
  assert.deepEqual(next.aggregationRule?.clusterRoleSelectors, [
    other,
    { matchLabels: { "rbac.authorization.k8s.io/aggregate-to-x": "true" } },
  ]);
});

void test("reconciledBinding: subjects are added, never removed; a binding of another role is made anew", () => {
  const stored: ClusterRoleBinding = bound("x", user("somebody"));
  const next = reconciledBinding(stored, bound("x", group("team")));
  assert.deepEqual(next?.subjects, [user("somebody"), group("team")]);
  const other = { ...stored, roleRef: { ...stored.roleRef, name: "y" } };
  assert.equal(reconciledBinding(other, bound("x")), undefined);
});
