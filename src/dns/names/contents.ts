import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { dependsOn } from "./record.ts";
import { compileService, type Naming, type ServiceNames } from "./service.ts";

/** A name that leads to an address: a Service's own, by its cluster IP, or that of one of its endpoints. */
export interface Holder {
  readonly key: string;
  /** `""` is the Service's own name. */
  readonly label: string;
}

/** Which pods have an address now. */
export interface PodAddresses {
  has(namespace: string, ip: string): boolean;
}

export interface ContentsOptions extends Naming {
  /** Services of namespaces that are not there have no names: the namespaces are chosen ones (DNS-076). */
  readonly hidesUnknownNamespaces: boolean;
  /** For names of pods that are to be verified (DNS-085). */
  readonly pods?: PodAddresses;
}

/** Everything the zone's answers are computed from. A change costs the size of the slices that changed, and never that of another Service. */
export interface Contents {
  service(key: string): ServiceNames | undefined;
  hasNamespace(name: string): boolean;
  hasPod(namespace: string, ip: string): boolean;
  /** The words that whether a Service has a name depends on, there or not. */
  dependsOf(namespace: string, service: string): string[];
  /** Names that lead to an address; and all that could, with words. */
  holders(ip: string): { readonly holders: readonly Holder[]; readonly depends: readonly string[] };
  /** Takes in a Service with all its slices, or takes it out. Answers what changed, as words of `dependsOn`. */
  setService(key: string, service: Service | undefined, slices: readonly EndpointSlice[]): readonly string[];
  setNamespace(name: string, exists: boolean): readonly string[];
  /** A pod got or lost these addresses. */
  podsChanged(addresses: Iterable<string>): readonly string[];
  /** Unix time of the last change, in seconds: the zone's serial number (DNS-059). */
  readonly serial: number;
}

const USUAL: ContentsOptions = { endpointPodNames: false, ignoreEmptyServices: false, hidesUnknownNamespaces: false };

const namespaceOf = (key: string): string => key.slice(0, key.indexOf("/"));

/** `now` answers milliseconds since the epoch. */
export function createContents(now: () => number, options: ContentsOptions = USUAL): Contents {
  const services = new Map<string, ServiceNames>();
  const namespaces = new Set<string>();
  // Nearly every address is one Service's: a set for each would cost more than all the rest.
  const keysOf = new Map<string, string | Set<string>>();
  const seconds = (): number => Math.floor(now() / 1000) >>> 0;
  let serial = seconds();

  const add = (ip: string, key: string): void => {
    const held = keysOf.get(ip);
    if (held === undefined) keysOf.set(ip, key);
    else if (typeof held !== "string") held.add(key);
    else if (held !== key) keysOf.set(ip, new Set([held, key]));
  };
  const remove = (ip: string, key: string): void => {
    const held = keysOf.get(ip);
    if (held === key) keysOf.delete(ip);
    else if (typeof held === "object" && held.delete(key) && held.size === 1) {
      for (const last of held) keysOf.set(ip, last);
    }
  };
  /** The addresses that lead to a Service, in parts: what is the same part before and after a change need not be looked at. */
  const partsOf = (names: ServiceNames | undefined): Set<readonly string[]> => {
    if (names === undefined || names.kind === "external") return new Set();
    const slices = names.endpoints.slices.map(({ addresses }) => addresses);
    return new Set(names.kind === "cluster" ? [names.own.addresses, ...slices] : slices);
  };

  /** Makes the addresses of a Service lead to it, and only those. Answers all that were looked at. */
  const lead = (key: string, before: ServiceNames | undefined, after: ServiceNames | undefined): Set<string> => {
    const old = partsOf(before);
    const all = partsOf(after);
    const fresh = new Set([...all.difference(old)].flat());
    const gone = new Set([...old.difference(all)].flat());
    const touched = fresh.union(gone);
    for (const ip of fresh) gone.delete(ip);
    // An address may be in several slices.
    if (gone.size > 0) for (const part of all.intersection(old)) for (const ip of part) gone.delete(ip);
    for (const ip of gone) remove(ip, key);
    for (const ip of fresh) add(ip, key);
    return touched;
  };

  const isHidden = (key: string): boolean => options.hidesUnknownNamespaces && !namespaces.has(namespaceOf(key));

  return {
    service: (key) => (isHidden(key) ? undefined : services.get(key)),
    hasNamespace: (name) => namespaces.has(name),
    hasPod: (namespace, ip) => options.pods?.has(namespace, ip) === true,
    dependsOf: (namespace, service) => [
      dependsOn.service(`${namespace}/${service}`),
      ...(options.hidesUnknownNamespaces ? [dependsOn.namespace(namespace)] : []),
    ],
    holders(ip) {
      const depends = [dependsOn.address(ip)];
      const held = keysOf.get(ip);
      const clusterIPs: Holder[] = [];
      const endpoints: Holder[] = [];
      for (const key of held === undefined ? [] : typeof held === "string" ? [held] : held) {
        if (options.hidesUnknownNamespaces) depends.push(dependsOn.namespace(namespaceOf(key)));
        const names = isHidden(key) ? undefined : services.get(key);
        if (names === undefined || names.kind === "external") continue;
        if (names.kind === "cluster" && names.own.addresses.includes(ip)) clusterIPs.push({ key, label: "" });
        else endpoints.push(...names.endpoints.labelsOf(ip).map((label) => ({ key, label })));
      }
      // DNS-044: a cluster IP's own name wins over any endpoint's.
      return { holders: clusterIPs.length > 0 ? clusterIPs : endpoints, depends };
    },
    get serial() {
      return serial;
    },
    setService(key, service, slices) {
      const before = services.get(key);
      const names = service === undefined ? undefined : compileService(service, slices, options);
      if (before === undefined && names === undefined) return [];
      if (names === undefined) services.delete(key);
      else services.set(key, names);
      serial = seconds();
      return [dependsOn.service(key), ...[...lead(key, before, names)].map(dependsOn.address)];
    },
    setNamespace(name, exists) {
      if (namespaces.has(name) === exists) return [];
      if (exists) namespaces.add(name);
      else namespaces.delete(name);
      serial = seconds();
      return [dependsOn.namespace(name)];
    },
    podsChanged(addresses) {
      serial = seconds();
      return [...new Set(addresses)].map(dependsOn.address);
    },
  };
}
