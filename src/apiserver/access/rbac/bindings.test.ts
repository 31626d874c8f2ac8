import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../../api/kinds.ts";
import { clusterRoleBindings, roleBindings } from "../../../api/resources.ts";
import { systemClock } from "../../../observe/clock.ts";
import { silentLog } from "../../../observe/log.ts";
import { memoryStore } from "../../../store/memory/memory.ts";
import { WatchCache } from "../../cache/watch-cache.ts";
import { objectKey } from "../../keys.ts";
import { BindingIndex, EVERYWHERE } from "./bindings.ts";

const user = (name: string, ...groups: string[]) => ({ user: name, groups });

async function world() {
  const store = memoryStore();
  const cache = new WatchCache({ store, kinds, clock: systemClock, log: silentLog });
  const index = new BindingIndex(cache);
  const write = async (namespace: string | undefined, name: string, subjects: object[] | undefined): Promise<void> => {
    const [resource, kind] =
      namespace === undefined ? [clusterRoleBindings, "ClusterRoleBinding"] : [roleBindings, "RoleBinding"];
    const key = objectKey(resource, { namespace, name });
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
    const object = { apiVersion: "v1", kind, metadata, roleRef: { kind: "ClusterRole", name: "r" }, subjects };
    const put = { type: "put", key, value: JSON.stringify(object) } as const;
    const result = await store.write([], [subjects === undefined ? { type: "delete", key } : put]);
    // Before the start nothing is followed yet.
    if (result.ok && cache.revision > 0) await cache.reached(result.revision);
  };
  const names = (who: { user: string; groups: string[] }, scope: string): string[] =>
    index.of(who, scope).map(({ metadata }) => metadata.name ?? "");
  return { store, cache, write, names };
}

void test("bindings are found by user, group and ServiceAccount, in their own namespace or everywhere, each once", async () => {
  const { store, cache, write, names } = await world();
  await write(undefined, "all", [
    { kind: "User", name: "jane" },
    { kind: "Group", name: "team" },
  ]);
  await write("a", "here", [{ kind: "ServiceAccount", name: "robot" }]);
  await write("a", "there", [{ kind: "ServiceAccount", name: "robot", namespace: "b" }]);
  await write(undefined, "homeless", [{ kind: "ServiceAccount", name: "robot" }]);
  await cache.start();
  assert.deepEqual(names(user("jane", "team"), EVERYWHERE), ["all"]);
  assert.deepEqual(names(user("jane"), "a"), []);
  assert.deepEqual(names(user("system:serviceaccount:a:robot"), "a"), ["here"]);
  assert.deepEqual(names(user("system:serviceaccount:b:robot"), "a"), ["there"]);
  assert.deepEqual(names(user("system:serviceaccount::robot"), EVERYWHERE), []);
  cache.close();
  await store.close();
});

void test("changes are followed: subjects that come and go, bindings that go, and all that changed while nothing was heard", async () => {
  const { store, cache, write, names } = await world();
  await write("a", "x", [{ kind: "User", name: "jane" }]);
  await cache.start();
  assert.deepEqual(names(user("jane"), "a"), ["x"]);
  await write("a", "x", [{ kind: "User", name: "joe" }]);
  assert.deepEqual([names(user("jane"), "a"), names(user("joe"), "a")], [[], ["x"]]);
  await write("a", "y", [{ kind: "User", name: "joe" }]);
  await write("a", "x", undefined);
  assert.deepEqual(names(user("joe"), "a"), ["y"]);
  cache.close();
  await store.write([], [{ type: "delete", key: objectKey(roleBindings, { namespace: "a", name: "y" }) }]);
  await cache.start();
  assert.deepEqual(names(user("joe"), "a"), []);
  cache.close();
  await store.close();
});
