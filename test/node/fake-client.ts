import { randomUUID } from "node:crypto";
import type { KubeList, KubeObject, Resource, WatchEvent } from "../../src/api/object.ts";
import { ApiError } from "../../src/api/status.ts";
import type { Client } from "../../src/client/client.ts";

interface Change {
  readonly version: number;
  readonly plural: string;
  readonly event: WatchEvent;
}

/** An API server's behaviour as far as the node needs it, over a Map. */
export interface FakeClient extends Client {
  put<T extends KubeObject>(resource: Resource, object: T): T;
  /** Takes an object away at once, as a forced deletion. */
  drop(resource: Resource, namespace: string, name: string): void;
  find(resource: Resource, namespace: string, name: string): KubeObject | undefined;
}

const keyOf = (resource: Resource, namespace: string | undefined, name: string): string =>
  `${resource.plural}/${namespace ?? ""}/${name}`;

/** Merges as a JSON merge patch; `conditions` by type, as the strategic one does. */
function merge(base: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(patch as Record<string, unknown>)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else if (key === "conditions") {
      const next = value as { type: string }[];
      const kept = ((result[key] ?? []) as { type: string }[]).filter(
        (old) => !next.some(({ type }) => type === old.type),
      );
      result[key] = [...kept, ...next];
    } else result[key] = merge(result[key], value);
  }
  return result;
}

export function fakeClient(): FakeClient {
  const objects = new Map<string, { resource: Resource; object: KubeObject }>();
  const changes: Change[] = [];
  const wakers = new Set<() => void>();
  let version = 1;

  const tell = (plural: string, event: WatchEvent): void => {
    changes.push({ version, plural, event });
    for (const wake of wakers) wake();
  };
  const store = (resource: Resource, object: KubeObject, type: "ADDED" | "MODIFIED"): KubeObject => {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    objects.set(keyOf(resource, object.metadata.namespace, object.metadata.name ?? ""), { resource, object: stored });
    tell(resource.plural, { type, object: stored });
    return stored;
  };
  const get = (resource: Resource, namespace: string | undefined, name: string): KubeObject => {
    const found = objects.get(keyOf(resource, namespace, name))?.object;
    if (found === undefined) throw new ApiError("NotFound", `${resource.plural} "${name}" not found`);
    return found;
  };
  const listed = (resource: Resource): KubeObject[] =>
    [...objects.values()].filter((each) => each.resource.plural === resource.plural).map(({ object }) => object);
  const remove = (resource: Resource, namespace: string | undefined, name: string): void => {
    const object = get(resource, namespace, name);
    objects.delete(keyOf(resource, namespace, name));
    version += 1;
    tell(resource.plural, { type: "DELETED", object });
  };

  return {
    put: (resource, object) => {
      const known = objects.has(keyOf(resource, object.metadata.namespace, object.metadata.name ?? ""));
      const uid = object.metadata.uid ?? randomUUID();
      const full = { ...object, metadata: { creationTimestamp: new Date().toISOString(), ...object.metadata, uid } };
      return store(resource, full, known ? "MODIFIED" : "ADDED") as typeof object;
    },
    drop: remove,
    find: (resource, namespace, name) => objects.get(keyOf(resource, namespace, name))?.object,
    get: async <T extends KubeObject>(resource: Resource, at: { namespace?: string | undefined; name: string }) =>
      get(resource, at.namespace, at.name) as T,
    list: async <T extends KubeObject>(resource: Resource) =>
      ({
        apiVersion: "v1",
        kind: "List",
        metadata: { resourceVersion: String(version) },
        items: listed(resource),
      }) as KubeList<T>,
    async *watch(resource, parameters, signal) {
      let from = Number(parameters.resourceVersion);
      while (!signal.aborted) {
        const next = changes.filter((change) => change.version > from && change.plural === resource.plural);
        for (const change of next) {
          from = change.version;
          yield change.event as never;
        }
        if (next.length > 0) continue;
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            wakers.delete(wake);
            resolve();
          };
          wakers.add(wake);
          signal.addEventListener("abort", wake, { once: true });
        });
      }
    },
    create: async (resource, object) => {
      if (objects.has(keyOf(resource, object.metadata.namespace, object.metadata.name ?? ""))) {
        throw new ApiError("AlreadyExists", `${resource.plural} "${object.metadata.name}" already exists`);
      }
      return store(
        resource,
        { ...object, metadata: { ...object.metadata, uid: randomUUID() } },
        "ADDED",
      ) as typeof object;
    },
    update: async (resource, object) => store(resource, object, "MODIFIED") as typeof object,
    updateStatus: async (resource, object) => store(resource, object, "MODIFIED") as typeof object,
    patch: async <T extends KubeObject>(
      resource: Resource,
      at: { namespace?: string | undefined; name: string },
      _type: unknown,
      patch: unknown,
    ) => {
      const old = get(resource, at.namespace, at.name);
      const uid = (patch as Partial<KubeObject>).metadata?.uid;
      if (uid !== undefined && uid !== old.metadata.uid) throw new ApiError("Conflict", "the uid differs");
      return store(resource, merge(old, patch) as KubeObject, "MODIFIED") as T;
    },
    delete: async (resource, at, parameters) => {
      const old = get(resource, at.namespace, at.name);
      const uid = parameters?.preconditions?.uid;
      if (uid !== undefined && uid !== old.metadata.uid) throw new ApiError("Conflict", "the uid differs");
      const grace = parameters?.gracePeriodSeconds ?? (resource.plural === "pods" ? 30 : 0);
      if (grace === 0) return remove(resource, at.namespace, at.name);
      const deletionTimestamp = new Date(Date.now() + grace * 1000).toISOString();
      const metadata = { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
      store(resource, { ...old, metadata }, "MODIFIED");
    },
    raw: async () => ({}),
    close: () => {},
  };
}
