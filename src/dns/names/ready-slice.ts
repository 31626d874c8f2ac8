import type { Endpoint, EndpointSlice } from "../../api/generated/types.ts";
import { canonicalIP, familyOf } from "../../net/ip.ts";

export interface NamedPort {
  /** `""` for a port without a name: it is in no `_port._protocol` name (DNS-034). */
  readonly name: string;
  /** `tcp`, `udp`, `sctp`. */
  readonly protocol: string;
  readonly port: number;
}

/** What of a slice becomes names. */
export interface ReadySlice {
  /** The addresses that are ready, in canonical form; one may come twice. */
  readonly addresses: readonly string[];
  /** The endpoint of each. */
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly NamedPort[];
}

export const protocolOf = (protocol: string | undefined): string => (protocol ?? "TCP").toLowerCase();

function portsOf(slice: EndpointSlice): NamedPort[] {
  return (slice.ports ?? []).flatMap(({ name, protocol, port }) =>
    port === undefined || port === null ? [] : [{ name: name ?? "", protocol: protocolOf(protocol), port }],
  );
}

/** As it stands, where that is canonical already: an IPv4 address has one form alone, and a copy would cost memory. */
const canonical = (ip: string, family: string): string => (family === "IPv4" ? ip : canonicalIP(ip));

function compile(slice: EndpointSlice): ReadySlice {
  const addresses: string[] = [];
  const endpoints: Endpoint[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    // DNS-019: readiness alone decides; nil means ready.
    if (endpoint.conditions?.ready === false) continue;
    for (const address of endpoint.addresses) {
      if (familyOf(address) !== slice.addressType) continue;
      addresses.push(canonical(address, slice.addressType));
      endpoints.push(endpoint);
    }
  }
  return { addresses, endpoints, ports: portsOf(slice) };
}

const compiled = new WeakMap<EndpointSlice, ReadySlice>();

/** Objects of a cache never change, so each slice is read once, and the very same is answered for it as long as it is there. */
export function readySlice(slice: EndpointSlice): ReadySlice {
  let ready = compiled.get(slice);
  if (ready === undefined) compiled.set(slice, (ready = compile(slice)));
  return ready;
}
