import type { ConfigMap, EndpointSlice, Ingress, Secret, Service } from "../../api/generated/types.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import { configMaps, endpointSlices, ingresses, secrets, services } from "../../api/resources.ts";
import { ageOf } from "../../client/age.ts";
import { createCache } from "../../client/cache.ts";
import type { CacheChange } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { word, type Word } from "../plan/changes.ts";
import type { WatchedView } from "../plan/planner.ts";
import { keepOwnManager } from "../status/manager.ts";
import { TLS_TYPE } from "../tls/read-secret.ts";
import { watchClasses } from "./classes.ts";
import { referencesOf } from "./references.ts";
import { referred } from "./referred.ts";
import { scopedCache, scopesOf } from "./scoped.ts";

export interface WatchingOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** The name of our class and its `spec.controller`, which is taken to be there where classes may not be read. */
  readonly ingressClass: string;
  readonly controller: string;
  /** Only this namespace; undefined: all. */
  readonly namespace: string | undefined;
  /** `namespace/name` of Services, and of a Secret, that are looked at wherever they are. */
  readonly services: readonly (string | undefined)[];
  readonly certificate: string | undefined;
  /** Something is otherwise than it was; the view says so already. */
  readonly changed: (what: Word) => void;
}

export interface WatchedCluster {
  readonly view: WatchedView;
  /** Resolves when everything has been listed once. */
  readonly synced: Promise<void>;
  /** Seconds since Ingresses, Services and slices were last known to be as they are; undefined before they were listed. */
  age(): number | undefined;
  stop(): Promise<void>;
}

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const BY_SERVICE = "service";
/** Who refers to what the options name. */
const OPTIONS = "";

const serviceOf = ({ metadata }: EndpointSlice): string | undefined => {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name ? `${metadata.namespace ?? ""}/${name}` : undefined;
};

const withoutManagers = (object: KubeObject): void => {
  object.metadata.managedFields = undefined;
};

/** An object, and where there was one before it that too. */
const bothOf = <T>(change: CacheChange<T>): T[] =>
  change.type === "added"
    ? [change.object]
    : change.type === "removed"
      ? [change.previous]
      : [change.previous, change.object];

/** Lists and watches what Ingresses are made of, from now on. */
export function watchCluster(options: WatchingOptions): WatchedCluster {
  const { client, clock, random, log, namespace, changed } = options;
  const watching = { client, clock, random, log };
  const inNamespace = namespace === undefined ? {} : { namespace };
  const named = (name: string) => ({ fieldSelector: `metadata.name=${name}` });
  const labelled = (name: string) => ({ labelSelector: `${SERVICE_NAME_LABEL}=${name}` });

  const allIngresses = createCache<Ingress>({
    ...watching,
    ...inNamespace,
    resource: ingresses,
    prune: keepOwnManager,
  });
  const allClasses = watchClasses({
    ...watching,
    prune: withoutManagers,
    instead: {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: options.ingressClass },
      spec: { controller: options.controller },
    },
    changed(change) {
      for (const one of bothOf(change)) changed(word.class(keyOf(one)));
    },
  });
  const allServices = scopedCache<Service>(
    { ...watching, resource: services, prune: withoutManagers },
    scopesOf(namespace, options.services, named),
  );
  const allSlices = scopedCache<EndpointSlice>(
    {
      ...watching,
      resource: endpointSlices,
      prune: withoutManagers,
      indexes: {
        [BY_SERVICE]: (slice) => {
          const service = serviceOf(slice);
          return service === undefined ? [] : [service];
        },
      },
    },
    scopesOf(namespace, options.services, labelled),
  );
  const allSecrets = referred<Secret>({
    ...watching,
    resource: secrets,
    scopes: scopesOf(namespace, [options.certificate], named),
    empty(secret) {
      secret.data = undefined;
    },
    keeps: ({ type }) => type === TLS_TYPE,
    without: "every host has the default certificate, and what a Secret protects is answered 503",
    changed: (key) => changed(word.secret(key)),
  });
  const allConfigMaps = referred<ConfigMap>({
    ...watching,
    resource: configMaps,
    scopes: [inNamespace],
    empty(map) {
      map.data = undefined;
      map.binaryData = undefined;
    },
    keeps: () => false,
    without: "Ingresses that name one are answered 503",
    changed: (key) => changed(word.configMap(key)),
  });

  /** Has at hand what an Ingress refers to; undefined where that is so already. */
  const refer = (key: string, ingress: Ingress | undefined): Promise<unknown> | undefined => {
    const { secrets: ofSecrets, configMaps: ofMaps } =
      ingress === undefined ? { secrets: new Set<string>(), configMaps: new Set<string>() } : referencesOf(ingress);
    const waits = [allSecrets.refer(key, ofSecrets), allConfigMaps.refer(key, ofMaps)].filter(
      (wait) => wait !== undefined,
    );
    return waits.length === 0 ? undefined : Promise.all(waits);
  };

  /** Ingresses as they were before a change whose references are not in hand yet; nobody is to see half of it. */
  const before = new Map<string, { readonly ingress: Ingress | undefined; wait: Promise<unknown> }>();

  const takeIngress = (change: CacheChange<Ingress>): void => {
    const previous = change.type === "added" ? undefined : change.previous;
    const key = keyOf(change.type === "removed" ? change.previous : change.object);
    const wait = refer(key, change.type === "removed" ? undefined : change.object);
    if (wait === undefined) {
      before.delete(key);
      changed(word.ingress(key));
      return;
    }
    before.set(key, { ingress: before.has(key) ? before.get(key)?.ingress : previous, wait });
    void wait.then(() => {
      // A later change of it waits for itself.
      if (before.get(key)?.wait !== wait) return;
      before.delete(key);
      changed(word.ingress(key));
    });
  };
  const ingressNow = (key: string): Ingress | undefined =>
    before.has(key) ? before.get(key)?.ingress : allIngresses.get(key);
  function* ingressesNow(): Generator<Ingress> {
    for (const ingress of allIngresses.values()) {
      const now = before.size === 0 ? ingress : ingressNow(keyOf(ingress));
      if (now !== undefined) yield now;
    }
  }
  allServices.onChange((change) => changed(word.service(keyOf(bothOf(change)[0]!))));
  allSlices.onChange((change) => {
    const of = new Set(bothOf(change).map(serviceOf));
    for (const service of of) if (service !== undefined) changed(word.slices(service));
  });

  const certificate = new Set(options.certificate === undefined ? [] : [options.certificate]);
  const synced = (async () => {
    const listed = [allIngresses.synced(), allClasses.synced, allServices.synced(), allSlices.synced()];
    await allIngresses.synced();
    // Which Secrets are held whole is known from here on, so that they are listed once.
    allIngresses.onChange(takeIngress);
    const waits = [...allIngresses.values()].map((ingress) => refer(keyOf(ingress), ingress));
    await Promise.all([...listed, ...waits, allSecrets.refer(OPTIONS, certificate)]);
  })();

  return {
    view: {
      ingresses: ingressesNow,
      ingress: ingressNow,
      classes: () => allClasses.values(),
      service: (key) => allServices.get(key),
      slices: (key) => allSlices.by(BY_SERVICE, key),
      secret: (key) => allSecrets.get(key),
      configMap: (key) => allConfigMaps.get(key),
    },
    synced,
    age: () => ageOf([allIngresses, allServices, allSlices], clock.now()),
    async stop() {
      for (const cache of [allIngresses, allServices, allSlices]) cache.stop();
      await Promise.all([allClasses.stop(), allSecrets.stop(), allConfigMaps.stop()]);
    },
  };
}
