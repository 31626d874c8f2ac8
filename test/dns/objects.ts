import { keyOf, type KubeObject, type Resource, type WatchEvent } from "../../src/api/object.ts";
import { ApiError } from "../../src/api/status.ts";
import type { Pod } from "../../src/api/generated/types.ts";
import { parseLabelSelector } from "../../src/api/selector/labelSelector.ts";
import type { Client, ListParameters, WatchParameters } from "../../src/client/client.ts";

/** An API server in memory, as far as cluster DNS needs one: lists, watches and writes, without validation. */
export interface Objects extends Client {
  /** Creates or replaces, as somebody else would. */
  put(resource: Resource, object: KubeObject): void;
  remove(resource: Resource, key: string): void;
  read(resource: Resource, key: string): KubeObject | undefined;
  /** Lists wait until this is called, where `holdLists` was asked for. */
  release(): void;
  readonly writes: readonly string[];
}

export function createObjects(options: { holdLists?: boolean } = {}): Objects {
  const stores = new Map<string, Map<string, KubeObject>>();
  const watchers = new Map<string, Set<(event: WatchEvent) => void>>();
  const writes: string[] = [];
  const held = Promise.withResolvers<void>();
  if (options.holdLists !== true) held.resolve();
  let revision = 1;
  const storeOf = ({ plural }: Resource): Map<string, KubeObject> => {
    const store = stores.get(plural) ?? new Map<string, KubeObject>();
    stores.set(plural, store);
    return store;
  };
  const tell = ({ plural }: Resource, event: WatchEvent): void =>
    watchers.get(plural)?.forEach((listener) => listener(event));

  const put = (resource: Resource, object: KubeObject): KubeObject => {
    const before = storeOf(resource).get(keyOf(object));
    revision += 1;
    const uid = before?.metadata.uid ?? object.metadata.uid ?? `made-${revision}`;
    const stored = structuredClone({
      ...object,
      metadata: { ...object.metadata, uid, resourceVersion: `${revision}` },
    });
    storeOf(resource).set(keyOf(object), stored);
    tell(resource, { type: before === undefined ? "ADDED" : "MODIFIED", object: stored });
    return stored;
  };
  const remove = (resource: Resource, key: string): void => {
    const before = storeOf(resource).get(key);
    if (before === undefined) throw new ApiError("NotFound", `${resource.plural} "${key}" not found`);
    storeOf(resource).delete(key);
    revision += 1;
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: `${revision}` } };
    tell(resource, { type: "DELETED", object });
  };
  /** Whether a list or watch with these parameters shows an object; of field selectors, those of pods' nodes. */
  const shows =
    ({ namespace, labelSelector = "", fieldSelector = "" }: ListParameters | WatchParameters) =>
    (object: KubeObject): boolean =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      parseLabelSelector(labelSelector)(object.metadata.labels) &&
      (fieldSelector === "" || fieldSelector === `spec.nodeName=${(object as Pod).spec?.nodeName ?? ""}`);
  const unused = (): never => {
    throw new Error("not needed by cluster DNS");
  };

  async function* watch(
    resource: Resource,
    parameters: WatchParameters,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const isShown = shows(parameters);
    const events: WatchEvent[] = [...storeOf(resource).values()]
      .filter(({ metadata }) => Number(metadata.resourceVersion) > Number(parameters.resourceVersion))
      .filter(isShown)
      .map((object) => ({ type: "MODIFIED", object }));
    let wake = (): void => {};
    const listener = (event: WatchEvent): void => {
      // What is not shown any more looks deleted.
      events.push(isShown(event.object) ? event : { type: "DELETED", object: event.object });
      wake();
    };
    const listeners = watchers.get(resource.plural) ?? new Set();
    watchers.set(resource.plural, listeners.add(listener));
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const event = events.shift();
        if (event === undefined) await new Promise<void>((resolve) => (wake = resolve));
        // A copy, as whoever is far away gets one: caches take away what they do not need.
        else yield structuredClone(event);
      }
    } finally {
      listeners.delete(listener);
    }
  }

  return {
    put: (resource, object) => void put(resource, object),
    remove,
    read: (resource, key) => storeOf(resource).get(key),
    release: () => held.resolve(),
    writes,
    async get(resource, at) {
      const object = storeOf(resource).get(keyOf({ metadata: at }));
      if (object === undefined) throw new ApiError("NotFound", `${resource.plural} "${at.name}" not found`);
      return structuredClone(object) as never;
    },
    async list(resource, parameters = {}) {
      await held.promise;
      const items = [...storeOf(resource).values()].filter(shows(parameters));
      return {
        apiVersion: "v1",
        kind: "List",
        metadata: { resourceVersion: `${revision}` },
        items: structuredClone(items) as never[],
      };
    },
    watch: (resource, parameters, signal) => watch(resource, parameters, signal) as AsyncIterable<never>,
    async create(resource, object) {
      writes.push(`create ${resource.plural} ${keyOf(object)}`);
      if (storeOf(resource).has(keyOf(object))) throw new ApiError("AlreadyExists", `${keyOf(object)} already exists`);
      return put(resource, object) as never;
    },
    async update(resource, object) {
      writes.push(`update ${resource.plural} ${keyOf(object)}`);
      const before = storeOf(resource).get(keyOf(object));
      if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) {
        throw new ApiError("Conflict", `${keyOf(object)} has been modified`);
      }
      return put(resource, object) as never;
    },
    updateStatus: unused,
    patch: unused,
    async delete(resource, at) {
      writes.push(`delete ${resource.plural} ${keyOf({ metadata: at })}`);
      remove(resource, keyOf({ metadata: at }));
    },
    raw: unused,
    close: () => {},
  };
}
