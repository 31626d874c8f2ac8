import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../../api/kinds.ts";
import { configMaps, namespaces, resourceQuotas } from "../../../api/resources.ts";
import { memoryStore } from "../../../store/memory/memory.ts";
import type { Context } from "../../context.ts";
import { objectKey } from "../../keys.ts";
import { KindIndex } from "../../route.ts";
import { resourceQuota } from "./resource-quota.ts";

void test("SVC-305: a quota that is made right after the quotas were read fails the deletion that knows nothing of it", async () => {
  const store = memoryStore();
  const key = objectKey(namespaces, { name: "default" });
  const put = (at: string, object: object) =>
    store.write([], [{ type: "put", key: at, value: JSON.stringify(object) }]);
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } };
  await put(key, namespace);
  const makesQuota = async (): Promise<void> => {
    const metadata = { name: "q", namespace: "default" };
    await put(objectKey(resourceQuotas, metadata), { apiVersion: "v1", kind: "ResourceQuota", metadata });
    await put(key, namespace);
  };
  const list: typeof store.list = async (prefix, options) => {
    const read = await store.list(prefix, options);
    if (prefix.includes(resourceQuotas.plural)) await makesQuota();
    return read;
  };
  const index = new KindIndex(kinds);
  const context = { kinds: index, store: { ...store, list } } as unknown as Context;
  const kind = index.find(configMaps.group, configMaps.version, configMaps.plural)!;
  const going = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default" } };
  const { conditions, operations } = await resourceQuota.released!(kind, going, context, true);
  assert.deepEqual(operations, []);
  assert.equal((await store.write(conditions, [])).ok, false);
  await store.close();
});
