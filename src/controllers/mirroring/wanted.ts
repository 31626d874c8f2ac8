import type {
  CoreEndpointPort,
  Endpoint,
  EndpointAddress,
  EndpointPort,
  Endpoints,
} from "../../api/generated/types.ts";
import { lenientIP } from "../../api/meta/ip.ts";
import type { IPFamily } from "../../net/ip.ts";
import { familyOf } from "../../net/ip.ts";
import { repackSubsets } from "../endpoints/repack.ts";
import { portsKey } from "../pods/ports.ts";
import type { Skipped } from "./skipped.ts";

/** What one mirrored slice should hold. */
export interface MirroredSlice {
  readonly family: IPFamily;
  readonly ports: EndpointPort[];
  readonly endpoints: Endpoint[];
}

export interface Mirrored extends Skipped {
  /** By family and ports. */
  readonly slices: ReadonlyMap<string, MirroredSlice>;
}

export const mirrorKey = (family: string, ports: readonly EndpointPort[] | undefined): string =>
  `${family} ${portsKey(ports)}`;

const portOf = ({ name, port, protocol, appProtocol }: CoreEndpointPort): EndpointPort => ({
  name: name ?? "",
  port,
  protocol: protocol ?? "TCP",
  ...(appProtocol === undefined ? {} : { appProtocol }),
});

/** CTL-090. Endpoints do not say whether something is ending, nor where it is. */
const endpointOf = (ip: string, { nodeName, hostname, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip],
  conditions: { ready },
  ...(hostname === undefined || hostname === "" ? {} : { hostname }),
  ...(nodeName === undefined ? {} : { nodeName }),
  ...(targetRef === undefined ? {} : { targetRef }),
});

/** CTL-085, CTL-086, CTL-092: what there is to mirror; of each subset at most `most` addresses, those that are ready first. */
export function mirroredOf(endpoints: Endpoints, most: number): Mirrored {
  const slices = new Map<string, MirroredSlice>();
  let invalid = 0;
  let excess = 0;
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of repackSubsets(endpoints.subsets ?? [])) {
    const slicePorts = ports.map(portOf);
    let taken = 0;
    const offered = [
      ...addresses.map((address) => [address, true] as const),
      ...notReadyAddresses.map((address) => [address, false] as const),
    ];
    for (const [address, ready] of offered) {
      // Endpoints may hold forms of addresses that slices may not.
      const ip = lenientIP(address.ip);
      if (taken === most) excess += 1;
      else if (ip === undefined) invalid += 1;
      else {
        const family = familyOf(ip)!;
        taken += 1;
        const key = mirrorKey(family, slicePorts);
        let slice = slices.get(key);
        if (slice === undefined) slices.set(key, (slice = { family, ports: slicePorts, endpoints: [] }));
        slice.endpoints.push(endpointOf(ip, address, ready));
      }
    }
  }
  return { slices, invalid, excess };
}
