import assert from "node:assert/strict";
import { test } from "node:test";
import { service, slice } from "../../../test/dns/testns.ts";
import type { EndpointSlice, Namespace, Service } from "../../api/generated/types.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import { createIndexed } from "../../client/indexed.ts";
import { silentLog } from "../../observe/log.ts";
import { createContents, type Contents } from "../names/contents.ts";
import { follow } from "./follow.ts";
import { serviceOf, type View } from "./view.ts";

/** A cache that a test fills: all of a list first, and then everybody is told, as the real one does. */
function filled<T extends KubeObject>(index: Record<string, (object: T) => string[]> = {}) {
  const held = createIndexed<T>(index);
  const listeners: ((change: CacheChange<T>) => void)[] = [];
  const cache = {
    get: (key: string) => held.get(key),
    values: () => held.values(),
    by: (name: string, word: string) => held.by(name, word),
    onChange: (listener: (change: CacheChange<T>) => void) => void listeners.push(listener),
  } as unknown as Cache<T>;
  return {
    cache,
    list(...objects: T[]): void {
      for (const object of objects) held.set(keyOf(object), object);
      for (const object of objects) for (const listener of listeners) listener({ type: "added", object });
    },
  };
}

const REST = { age: () => undefined, synced: async () => {}, stop() {} };
const ALL = { noEndpoints: false, namespaces: undefined, isExposed: () => true };

void test("what a list brings is taken in together, before anything else happens; a Service that fails spoils no other", async () => {
  const services = filled<Service>();
  const slices = filled<EndpointSlice>({ service: (each) => [serviceOf(each)] });
  const namespaces = filled<Namespace>();
  const inner = createContents(() => 0);
  const taken: string[] = [];
  const contents: Contents = {
    ...inner,
    setService(key, ...rest) {
      taken.push(key);
      if (key === "testns/bad") throw new Error("broken");
      return inner.setService(key, ...rest);
    },
  };
  const view: View = { services: services.cache, slices: slices.cache, namespaces: namespaces.cache, ...REST };
  const words: string[] = [];
  follow(contents, view, ALL, (changed) => words.push(...changed), silentLog);

  services.list(service("bad", { clusterIP: "10.0.0.2" }), service("wide", { clusterIP: "None" }));
  slices.list(...Array.from({ length: 200 }, (_, at) => slice("wide", [`172.0.${at}.1`])));
  assert.deepEqual(taken, []);
  await Promise.resolve();
  assert.deepEqual(taken, ["testns/bad", "testns/wide"]);
  assert.ok(words.includes("service testns/wide"));

  slices.list(slice("wide", ["172.1.0.1"]));
  await Promise.resolve();
  assert.deepEqual(taken, ["testns/bad", "testns/wide", "testns/wide"]);
});

void test("contents that come after the lists take in what was listed", () => {
  const services = filled<Service>();
  const slices = filled<EndpointSlice>({ service: (each) => [serviceOf(each)] });
  const namespaces = filled<Namespace>();
  namespaces.list({ apiVersion: "v1", kind: "Namespace", metadata: { name: "testns" } });
  services.list(service("web", { clusterIP: "None" }));
  slices.list(slice("web", ["172.0.0.1"]));
  const contents = createContents(() => 0);
  const view: View = { services: services.cache, slices: slices.cache, namespaces: namespaces.cache, ...REST };
  follow(contents, view, ALL, () => {}, silentLog);
  assert.equal(contents.hasNamespace("testns"), true);
  assert.equal(contents.service("testns/web")?.kind, "headless");
});
