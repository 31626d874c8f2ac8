import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { canonicalIP, familyOf } from "../../net/ip.ts";

/** Services with the same word here, in one namespace, may have one address together when their ports differ. */
export const SHARING = "fairlead.dev/load-balancer-sharing";

/** A Service as far as others that want its address must know it. */
export interface Holder {
  readonly key: string;
  readonly namespace: string;
  /** Older Services keep what they have; of those made in one second, the first by name. */
  readonly age: string;
  /** The word of {@link SHARING}; empty shares with nobody. */
  readonly sharing: string;
  /** `80/TCP` */
  readonly ports: readonly string[];
  /**
   * With externalTrafficPolicy Local an address leads only to nodes with endpoints; two such Services can
   * share one when they have the same endpoints. Undefined for policy Cluster.
   */
  readonly localSelector: string | undefined;
}

export function holderOf(service: Service): Holder {
  const { namespace = "", creationTimestamp = "" } = service.metadata;
  const { spec } = service;
  const selector = Object.entries(spec?.selector ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    key: keyOf(service),
    namespace,
    age: `${creationTimestamp} ${keyOf(service)}`,
    sharing: service.metadata.annotations?.[SHARING] ?? "",
    ports: (spec?.ports ?? []).map(({ port, protocol }) => `${port}/${protocol ?? "TCP"}`),
    localSelector: spec?.externalTrafficPolicy === "Local" ? JSON.stringify(selector) : undefined,
  };
}

/** Why two Services cannot have one address; undefined when they can. */
export function conflict(one: Holder, other: Holder): string | undefined {
  if (one.sharing === "" || one.sharing !== other.sharing || one.namespace !== other.namespace) {
    return `Service ${other.key} has it; Services of one namespace share an address when both have the same annotation ${SHARING}`;
  }
  const port = one.ports.find((each) => other.ports.includes(each));
  if (port !== undefined) return `Service ${other.key} shares it and has port ${port} already`;
  if (one.localSelector !== other.localSelector) {
    return `Service ${other.key} shares it with another externalTrafficPolicy or, under Local, another selector`;
  }
  return undefined;
}

/** The addresses that a Service has of us, canonical. */
export const addressesOf = (service: Service): string[] =>
  (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
    ip !== undefined && familyOf(ip) !== undefined ? [canonicalIP(ip)] : [],
  );

/** Who has which address. */
export interface Holdings {
  set(service: Service): void;
  delete(key: string): void;
  of(ip: string): readonly Holder[];
  /** Services with an address that this one has too. */
  neighbours(key: string): string[];
  /** The addresses held by Services of this namespace that share under this word. */
  shared(namespace: string, sharing: string): string[];
}

export function createHoldings(): Holdings {
  const byIP = new Map<string, Map<string, Holder>>();
  const byKey = new Map<string, readonly string[]>();

  const remove = (key: string): void => {
    for (const ip of byKey.get(key) ?? []) {
      const holders = byIP.get(ip);
      if (holders?.delete(key) === true && holders.size === 0) byIP.delete(ip);
    }
    byKey.delete(key);
  };
  return {
    set(service) {
      const holder = holderOf(service);
      remove(holder.key);
      const addresses = addressesOf(service);
      if (addresses.length === 0) return;
      byKey.set(holder.key, addresses);
      for (const ip of addresses) {
        let holders = byIP.get(ip);
        if (holders === undefined) byIP.set(ip, (holders = new Map()));
        holders.set(holder.key, holder);
      }
    },
    delete: remove,
    of: (ip) => [...(byIP.get(ip)?.values() ?? [])],
    neighbours: (key) => [
      ...new Set(
        (byKey.get(key) ?? []).flatMap((ip) => [...(byIP.get(ip)?.keys() ?? [])]).filter((other) => other !== key),
      ),
    ],
    shared: (namespace, sharing) =>
      [...byIP].flatMap(([ip, holders]) =>
        [...holders.values()].some((holder) => holder.namespace === namespace && holder.sharing === sharing)
          ? [ip]
          : [],
      ),
  };
}
