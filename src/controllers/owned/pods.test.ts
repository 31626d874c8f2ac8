import assert from "node:assert/strict";
import { test } from "node:test";
import { pod as podOf } from "../../../test/controllers/examples.ts";
import type { Pod, ReplicaSet } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { replicaSets } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import { createIndexed } from "../../client/indexed.ts";
import { systemClock } from "../../observe/clock.ts";
import { ownerWords } from "./index-words.ts";
import { createOwnedPods } from "./pods.ts";
import { podFromTemplate } from "./template.ts";

const owner: ReplicaSet = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { namespace: "shop", name: "web", uid: "rs-1" },
};
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c" }] } };
const signal = new AbortController().signal;

/** A server in memory whose answers can be lost, and a cache that sees nothing before `watch` is called. */
function trial() {
  const server = new Map<string, Pod>();
  const held = createIndexed<Pod>({ owner: ownerWords });
  const listeners: ((change: CacheChange<Pod>) => void)[] = [];
  let version = 0;
  let seen = "0";
  let lose: "request" | "answer" | undefined;
  const broken = (): Error => new Error("socket hang up");
  const client = {
    async create(_: unknown, pod: Pod) {
      if (lose === "request") throw broken();
      if (server.has(keyOf(pod))) throw new ApiError("AlreadyExists", "it is there");
      version += 1;
      const made = { ...pod, metadata: { ...pod.metadata, uid: `uid-${version}`, resourceVersion: String(version) } };
      server.set(keyOf(pod), made);
      if (lose === "answer") throw broken();
      return made;
    },
    async get(_: unknown, { namespace, name }: { namespace: string; name: string }) {
      if (name === "web") return owner;
      return server.get(`${namespace}/${name}`);
    },
    async delete() {},
    async patch(_: unknown, { namespace, name }: { namespace: string; name: string }, __: unknown, patch: object) {
      version += 1;
      const pod = server.get(`${namespace}/${name}`)!;
      const { ownerReferences = [] } = (patch as { metadata: Pod["metadata"] }).metadata;
      const added = ownerReferences.filter((reference) => !("$patch" in reference));
      const next = {
        ...pod,
        metadata: { ...pod.metadata, ownerReferences: added, resourceVersion: String(version) },
      };
      server.set(keyOf(next), next);
      return next;
    },
  } as unknown as Client;
  const cache = {
    get: (key: string) => held.get(key),
    by: (index: string, word: string) => held.by(index, word),
    get resourceVersion() {
      return seen;
    },
    onChange(listener: (change: CacheChange<Pod>) => void) {
      listeners.push(listener);
      return () => {};
    },
  } as unknown as Cache<Pod>;
  const pods = createOwnedPods({ client, pods: cache, clock: systemClock, random: Math.random, resource: replicaSets });
  return {
    pods,
    server,
    lose: (what: "request" | "answer" | undefined) => (lose = what),
    put: (pod: Pod) => server.set(keyOf(pod), pod),
    watch() {
      for (const pod of server.values()) held.set(keyOf(pod), pod);
      seen = String(version);
    },
  };
}

const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name ?? "");

test("CTL-124: a pod whose creation got no answer is not made a second time", async () => {
  for (const lost of ["request", "answer"] as const) {
    const { pods, server, lose } = trial();
    const wanted = podFromTemplate(template, owner, replicaSets);
    lose(lost);
    await assert.rejects(pods.create(owner, wanted, signal), /hang up/);
    assert.deepEqual(pods.of("rs-1"), [], "whether it is there is not known");
    lose(undefined);
    const made = await pods.create(owner, wanted, signal);
    assert.equal(server.size, 1, `the ${lost} was lost`);
    assert.deepEqual(names(pods.of("rs-1")), [made.metadata.name]);
    await pods.create(owner, wanted, signal);
    assert.equal(server.size, 2, "the next one is another");
  }
});

test("CTL-124: a name without an answer is kept for its purpose", async () => {
  const { pods, server, lose } = trial();
  const wanted = podFromTemplate(template, owner, replicaSets);
  lose("answer");
  await assert.rejects(pods.create(owner, wanted, signal, "node-1"));
  lose(undefined);
  await pods.create(owner, wanted, signal, "node-2");
  assert.equal(server.size, 2);
  await pods.create(owner, wanted, signal, "node-1");
  assert.equal(server.size, 2);
});

test("CTL-124: a name that is somebody's is refused when it was given, and another is taken when it was made up", async () => {
  const { pods, put } = trial();
  const wanted = podFromTemplate(template, owner, replicaSets);
  const given = { ...wanted, metadata: { ...wanted.metadata, name: "web-0" } };
  put({ ...given, metadata: { ...given.metadata, ownerReferences: [] } });
  await assert.rejects(pods.create(owner, given, signal), /it is there/);
  await pods.create(owner, wanted, signal);
  assert.equal(pods.of("rs-1").length, 1);
});

test("CTL-124: what was made, deleted, adopted and set free counts before the cache shows it", async () => {
  const { pods, put, ...cache } = trial();
  const made = await pods.create(owner, podFromTemplate(template, owner, replicaSets), signal);
  cache.watch();
  const orphan = podOf("orphan");
  put(orphan);
  cache.watch();
  assert.deepEqual(names(pods.orphans("shop", { matchLabels: { app: "web" } })), ["orphan"]);
  assert.deepEqual(names(pods.orphans("shop", { matchExpressions: [] })), ["orphan"]);
  assert.deepEqual(pods.orphans("other", {}), []);

  await pods.claim(owner, { owned: [], adopt: [orphan], release: [made] }, signal);
  assert.deepEqual(names(pods.of("rs-1")), ["orphan"]);
  assert.deepEqual(pods.orphans("shop", { matchLabels: { app: "web" } }), []);

  await pods.delete(pods.of("rs-1")[0]!, signal);
  assert.notEqual(pods.of("rs-1")[0]?.metadata.deletionTimestamp, undefined);
});
