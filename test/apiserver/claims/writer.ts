import type { IPAddress, Service, ServiceCIDR, ServiceSpec } from "../../../src/api/generated/types.ts";
import { ipAddresses, serviceCIDRs, services } from "../../../src/api/resources.ts";
import { service as serviceKind } from "../../../src/api/service/service.ts";
import { invalidObject } from "../../../src/api/status.ts";
import { itemOf, storedText } from "../../../src/apiserver/cache/item.ts";
import { storeReader } from "../../../src/apiserver/claims/reader.ts";
import { serviceClaims, type ServiceClaimsOptions } from "../../../src/apiserver/claims/service-claims.ts";
import { nodePortKey, objectKey, prefixOf } from "../../../src/apiserver/keys.ts";
import type { Store } from "../../../src/store/store.ts";

export const NOW = "2026-01-01T00:00:00Z";

export async function putServiceCIDR(
  store: Store,
  name: string,
  cidrs: string[],
  ready = "True",
  more: Partial<ServiceCIDR["metadata"]> = {},
): Promise<void> {
  const object: ServiceCIDR = {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name, ...more },
    spec: { cidrs },
    status: { conditions: [{ type: "Ready", status: ready, lastTransitionTime: NOW, reason: "", message: "" }] },
  };
  await store.write([], [{ type: "put", key: objectKey(serviceCIDRs, { name }), value: storedText(object) }]);
}

/** A server that writes Services the way the verbs do: claim, prepare, validate, store, and again when another came first. */
export function serviceWriter(store: Store, options: Partial<ServiceClaimsOptions> = {}) {
  const claims = serviceClaims({ reader: storeReader(store), ...options });
  const keyOf = (name: string): string => objectKey(services, { namespace: "default", name });
  const read = async (name: string) => {
    const { entry } = await store.get(keyOf(name));
    return entry === undefined ? undefined : { ...itemOf(entry), object: itemOf(entry).object as Service };
  };
  const write = async (
    name: string,
    change: (previous: Service | undefined) => Service | undefined,
    dryRun = false,
  ): Promise<Service | undefined> => {
    for (let attempt = 0; attempt < 20; attempt++) {
      const current = await read(name);
      const previous = current?.object;
      const wanted = change(previous);
      if (wanted === undefined && previous === undefined) return undefined;
      const next = wanted === undefined ? undefined : serviceKind.defaults(wanted);
      const claimed = await claims.claim({ kind: serviceKind, previous, next, dryRun, isRetry: attempt > 0 });
      let object = claimed.object as Service | undefined;
      if (object !== undefined) {
        object =
          previous === undefined
            ? serviceKind.prepareForCreate(object, { now: NOW })
            : serviceKind.prepareForUpdate(object, previous, { now: NOW });
        const faults = serviceKind.validate(object, previous);
        if (faults.length > 0) throw invalidObject("", "Service", name, faults);
      }
      if (dryRun) return object;
      const key = keyOf(name);
      const result = await store.write(
        [current === undefined ? { key, absent: true } : { key, modRevision: current.revision }, ...claimed.conditions],
        [
          object === undefined ? { type: "delete", key } : { type: "put", key, value: storedText(object) },
          ...claimed.operations,
        ],
      );
      if (result.ok) return object;
    }
    throw new Error(`writing ${name}: others came first too often`);
  };
  const newService = (name: string, spec: ServiceSpec): Service => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", uid: `uid-${name}`, creationTimestamp: NOW },
    spec: { ports: [{ name: "a", port: 80, protocol: "TCP" }], selector: { app: name }, ...spec },
  });
  return {
    read,
    create: async (name: string, spec: ServiceSpec, dryRun = false): Promise<Service> =>
      (await write(
        name,
        (previous) => {
          if (previous !== undefined && !dryRun) throw new Error(`${name} exists`);
          return newService(name, spec);
        },
        dryRun,
      ))!,
    /** A field set to undefined is left out, as by a PUT of a manifest without it. */
    update: async (name: string, change: (spec: ServiceSpec) => ServiceSpec): Promise<Service> =>
      (await write(name, (previous) => ({ ...previous!, spec: { ...change({ ...previous!.spec }) } })))!,
    replace: async (name: string, spec: ServiceSpec): Promise<Service> =>
      (await write(name, (previous) => ({ ...newService(name, spec), metadata: { ...previous!.metadata } })))!,
    remove: (name: string): Promise<Service | undefined> => write(name, () => undefined),
  };
}

/** What is claimed in the store, each with the name of its Service. */
export async function claimed(store: Store): Promise<{ ips: Map<string, string>; ports: Map<number, string> }> {
  const addresses = await store.list(prefixOf(ipAddresses));
  const ips = addresses.entries.map(({ value }) => {
    const { metadata, spec } = JSON.parse(value) as IPAddress;
    return [metadata.name!, spec.parentRef.name] as const;
  });
  const prefix = nodePortKey(0).slice(0, -1);
  const { entries } = await store.list(prefix);
  const ports = entries.map(({ key, value }) => {
    return [Number(key.slice(prefix.length)), (JSON.parse(value) as { name: string }).name] as const;
  });
  return { ips: new Map(ips), ports: new Map(ports) };
}

/** What the stored Services say they hold. */
export async function said(store: Store): Promise<{ ips: [string, string][]; ports: [number, string][] }> {
  const { entries } = await store.list(prefixOf(services));
  const ips: [string, string][] = [];
  const ports: [number, string][] = [];
  for (const { value } of entries) {
    const { metadata, spec } = JSON.parse(value) as Service;
    const name = metadata.name!;
    for (const ip of spec?.clusterIPs ?? []) if (ip !== "None") ips.push([ip, name]);
    const own = new Set([...(spec?.ports ?? []).map((port) => port.nodePort ?? 0), spec?.healthCheckNodePort ?? 0]);
    for (const port of own) if (port !== 0) ports.push([port, name]);
  }
  return { ips, ports };
}
