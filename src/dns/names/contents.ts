import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { dependsOn } from "./record.ts";
import { compileService, type ServiceNames } from "./service.ts";

/** Who has an address: the Service keys whose cluster IP it is, and the endpoint labels by Service key. */
export interface Holders {
  readonly clusterIPOf: ReadonlySet<string>;
  readonly endpointOf: ReadonlyMap<string, string>;
}

/** Everything the zone's answers are computed from. A change costs the size of the Service that changed. */
export interface Contents {
  service(key: string): ServiceNames | undefined;
  hasNamespace(name: string): boolean;
  holders(ip: string): Holders | undefined;
  /** Takes in a Service with all its slices, or takes it out. Answers what changed, as words of `dependsOn`. */
  setService(key: string, service: Service | undefined, slices: readonly EndpointSlice[]): readonly string[];
  setNamespace(name: string, exists: boolean): readonly string[];
  /** Unix time of the last change, in seconds: the zone's serial number (DNS-059). */
  readonly serial: number;
}

interface MutableHolders {
  clusterIPOf: Set<string>;
  endpointOf: Map<string, string>;
}

/** `now` answers milliseconds since the epoch. */
export function createContents(now: () => number): Contents {
  const services = new Map<string, ServiceNames>();
  const namespaces = new Set<string>();
  const addresses = new Map<string, MutableHolders>();
  const seconds = (): number => Math.floor(now() / 1000) >>> 0;
  let serial = seconds();

  const holdersOf = (ip: string): MutableHolders => {
    const known = addresses.get(ip) ?? { clusterIPOf: new Set(), endpointOf: new Map() };
    addresses.set(ip, known);
    return known;
  };

  /** Writes or clears the reverse entries of a Service, noting each address touched. */
  const reverse = (key: string, names: ServiceNames | undefined, present: boolean, touched: Set<string>): void => {
    if (names === undefined || names.kind === "external") return;
    const visit = (ip: string, change: (holders: MutableHolders) => void): void => {
      const holders = holdersOf(ip);
      change(holders);
      if (holders.clusterIPOf.size + holders.endpointOf.size === 0) addresses.delete(ip);
      touched.add(dependsOn.address(ip));
    };
    if (names.kind === "cluster") {
      for (const ip of names.own.addresses) {
        visit(ip, ({ clusterIPOf }) => void (present ? clusterIPOf.add(key) : clusterIPOf.delete(key)));
      }
    }
    for (const { label, addresses: ips } of names.endpoints.values()) {
      for (const ip of ips) {
        visit(ip, ({ endpointOf }) => void (present ? endpointOf.set(key, label) : endpointOf.delete(key)));
      }
    }
  };

  return {
    service: (key) => services.get(key),
    hasNamespace: (name) => namespaces.has(name),
    holders: (ip) => addresses.get(ip),
    get serial() {
      return serial;
    },
    setService(key, service, slices) {
      const before = services.get(key);
      const names = service === undefined ? undefined : compileService(service, slices);
      if (before === undefined && names === undefined) return [];
      const touched = new Set([dependsOn.service(key)]);
      reverse(key, before, false, touched);
      if (names === undefined) services.delete(key);
      else services.set(key, names);
      reverse(key, names, true, touched);
      serial = seconds();
      return [...touched];
    },
    setNamespace(name, exists) {
      if (namespaces.has(name) === exists) return [];
      if (exists) namespaces.add(name);
      else namespaces.delete(name);
      serial = seconds();
      return [dependsOn.namespace(name)];
    },
  };
}
