import { belongsTo } from "../../api/endpointSlice/belongs.ts";
import type { Endpoint, EndpointSlice, Service } from "../../api/generated/types.ts";
import { dashed, isLabel } from "./name.ts";
import { readySlice, type NamedPort, type ReadySlice } from "./ready-slice.ts";

/** One name with addresses: a Service's own, or that of one of its endpoints. */
export interface Target {
  /** The label below the Service's name; `""` is the Service's own name. */
  readonly label: string;
  readonly addresses: readonly string[];
  readonly ports: readonly NamedPort[];
  /** Which of the addresses have a port, where not all of them have every one: slices with other ports share the label. */
  readonly having?: ReadonlyMap<NamedPort, readonly string[]>;
}

/** The addresses of a target that have a port of it. */
export const addressesWith = ({ addresses, having }: Target, port: NamedPort): readonly string[] =>
  having?.get(port) ?? addresses;

/**
 * The endpoints of a Service that are ready. What is asked for rarely is worked out when it is asked for: most Services
 * have a cluster IP, and nobody asks for their endpoints' names.
 */
export interface Endpoints {
  /** Those with equal host names share one (DNS-011), each address counts once (DNS-025). */
  readonly byLabel: ReadonlyMap<string, Target>;
  /** Only those in a topology zone; in lower case (DNS-128). */
  inZone(zone: string): ReadonlyMap<string, Target>;
  /** Where they are from. */
  readonly slices: readonly ReadySlice[];
  /** The labels that an address has: more than one where slices name it differently. */
  labelsOf(ip: string): readonly string[];
}

/** `podNames`: endpoints without a host name have their pod's (DNS-096), if a pod's name can be a label at all. */
export function compileEndpoints(service: Service, all: readonly EndpointSlice[], podNames: boolean): Endpoints {
  const slices = all
    // DNS-024: names in FQDN slices are not addresses.
    .filter(({ addressType }) => addressType === "IPv4" || addressType === "IPv6")
    .filter((slice) => belongsTo(slice, service))
    .map(readySlice);
  const labelOf = (endpoint: Endpoint, ip: string): string | undefined => {
    if (endpoint.hostname) {
      const label = endpoint.hostname.toLowerCase();
      return isLabel(label) ? label : undefined;
    }
    const pod = podNames ? endpoint.targetRef?.name?.toLowerCase() : undefined;
    return pod !== undefined && isLabel(pod) ? pod : dashed(ip);
  };
  let byLabel: ReadonlyMap<string, Target> | undefined;
  let byZone: ReadonlyMap<string, ReadonlyMap<string, Target>> | undefined;

  /** Groups of endpoints, each with its targets. */
  const groupedBy = (groupOf: (endpoint: Endpoint) => string): Map<string, Map<string, Target>> => {
    const groups = new Map<string, Targets>();
    for (const { addresses, endpoints, ports } of slices) {
      for (const [at, ip] of addresses.entries()) {
        const endpoint = endpoints[at]!;
        const group = groupOf(endpoint);
        const targets = groups.get(group) ?? new Targets();
        groups.set(group, targets);
        const label = labelOf(endpoint, ip);
        if (label !== undefined) targets.add(label, ip, ports);
      }
    }
    return new Map([...groups].map(([group, targets]) => [group, targets.all()]));
  };

  return {
    get byLabel() {
      return (byLabel ??= groupedBy(() => "").get("") ?? NONE);
    },
    inZone(zone) {
      byZone ??= groupedBy((endpoint) => endpoint.zone?.toLowerCase() ?? "");
      return byZone.get(zone) ?? NONE;
    },
    slices,
    labelsOf(ip) {
      const labels = new Set<string>();
      for (const { addresses, endpoints } of slices) {
        for (let at = addresses.indexOf(ip); at !== -1; at = addresses.indexOf(ip, at + 1)) {
          const label = labelOf(endpoints[at]!, ip);
          if (label !== undefined) labels.add(label);
        }
      }
      return [...labels];
    },
  };
}

const NONE: ReadonlyMap<string, Target> = new Map();

/** Gathers what each label has. Most labels are met once, and share the ports of their slice. */
class Targets {
  readonly #once = new Map<string, Target>();
  /** Of labels that are met again: all addresses, and each port by what it says, with the addresses that have it. */
  readonly #several = new Map<string, { addresses: Set<string>; ports: Map<string, [NamedPort, Set<string>]> }>();

  add(label: string, ip: string, ports: readonly NamedPort[]): void {
    const first = this.#once.get(label);
    if (first === undefined) {
      this.#once.set(label, { label, addresses: [ip], ports });
      return;
    }
    const known = this.#several.get(label) ?? { addresses: new Set<string>(), ports: new Map() };
    if (!this.#several.has(label)) {
      this.#several.set(label, known);
      for (const each of first.addresses) take(known, each, first.ports);
    }
    take(known, ip, ports);
  }

  all(): Map<string, Target> {
    for (const [label, { addresses, ports }] of this.#several) {
      const found = [...ports.values()];
      const isUneven = found.some(([, having]) => having.size < addresses.size);
      this.#once.set(label, {
        label,
        addresses: [...addresses],
        ports: found.map(([port]) => port),
        ...(isUneven ? { having: new Map(found.map(([port, having]) => [port, [...having]])) } : {}),
      });
    }
    return this.#once;
  }
}

function take(
  known: { addresses: Set<string>; ports: Map<string, [NamedPort, Set<string>]> },
  ip: string,
  ports: readonly NamedPort[],
): void {
  known.addresses.add(ip);
  for (const port of ports) {
    const word = `${port.name}/${port.protocol}/${port.port}`;
    const held = known.ports.get(word);
    if (held === undefined) known.ports.set(word, [port, new Set([ip])]);
    else held[1].add(ip);
  }
}

/** Every address, in canonical form; one may come twice. */
export const addressesOf = ({ slices }: Endpoints): string[] => slices.flatMap(({ addresses }) => addresses);
