import type { CoreEndpointPort, EndpointAddress, EndpointSubset } from "../../api/generated/types.ts";

/** One address with one port of it; without a port for headless Services that name none. */
export interface Offer {
  readonly address: EndpointAddress;
  readonly port: CoreEndpointPort | undefined;
  readonly isReady: boolean;
}

const addressKey = ({ ip, targetRef }: EndpointAddress): string => `${ip} ${targetRef?.uid ?? ""}`;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * CTL-058: ports offered by the same addresses share a subset; addresses, ports and subsets are sorted. An address that is
 * both ready and not ready at a port is not ready.
 */
export function repack(offers: readonly Offer[]): EndpointSubset[] {
  const ports = new Map<string, { port: CoreEndpointPort | undefined; addresses: Map<string, Offer> }>();
  for (const offer of offers) {
    const word = JSON.stringify(offer.port ?? null);
    let held = ports.get(word);
    if (held === undefined) ports.set(word, (held = { port: offer.port, addresses: new Map() }));
    const key = addressKey(offer.address);
    if (held.addresses.get(key)?.isReady !== false) held.addresses.set(key, offer);
  }
  const subsets = new Map<string, { ports: CoreEndpointPort[]; offers: Offer[] }>();
  for (const word of [...ports.keys()].sort(byText)) {
    const { port, addresses } = ports.get(word)!;
    const sorted = [...addresses].sort(([a], [b]) => byText(a, b));
    const key = sorted.map(([address, { isReady }]) => `${address} ${isReady}`).join();
    let subset = subsets.get(key);
    if (subset === undefined) {
      subsets.set(key, (subset = { ports: [], offers: sorted.map(([, offer]) => offer) }));
    }
    if (port !== undefined) subset.ports.push(port);
  }
  return [...subsets]
    .sort(([a], [b]) => byText(a, b))
    .map(([, { ports, offers }]) => {
      const ready = offers.filter(({ isReady }) => isReady).map(({ address }) => address);
      const notReady = offers.filter(({ isReady }) => !isReady).map(({ address }) => address);
      return {
        ...(ready.length === 0 ? {} : { addresses: ready }),
        ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
        ...(ports.length === 0 ? {} : { ports }),
      };
    });
}

/** CTL-060: at most `most` addresses in all, ready ones first, each subset giving up its share. */
export function truncate(
  subsets: readonly EndpointSubset[],
  most: number,
): { subsets: EndpointSubset[]; cut: boolean } {
  const count = (list: "addresses" | "notReadyAddresses"): number =>
    subsets.reduce((sum, subset) => sum + (subset[list]?.length ?? 0), 0);
  const ready = count("addresses");
  const notReady = count("notReadyAddresses");
  if (ready + notReady <= most) return { subsets: [...subsets], cut: false };
  const shares = (list: "addresses" | "notReadyAddresses", total: number, room: number): number[] => {
    if (total <= room) return subsets.map((subset) => subset[list]?.length ?? 0);
    let left = room;
    let before = total;
    return subsets.map((subset) => {
      const length = subset[list]?.length ?? 0;
      const share = before === 0 ? 0 : Math.round((length * left) / before);
      before -= length;
      left -= share;
      return share;
    });
  };
  const readyShares = shares("addresses", ready, most);
  const restShares = shares("notReadyAddresses", notReady, Math.max(0, most - ready));
  const cut = subsets.map(({ addresses = [], notReadyAddresses = [], ports }, index): EndpointSubset => {
    const kept = addresses.slice(0, readyShares[index]);
    const keptRest = notReadyAddresses.slice(0, restShares[index]);
    return {
      ...(kept.length === 0 ? {} : { addresses: kept }),
      ...(keptRest.length === 0 ? {} : { notReadyAddresses: keptRest }),
      ...(ports === undefined ? {} : { ports }),
    };
  });
  return { subsets: cut.filter((subset) => subset.addresses ?? subset.notReadyAddresses), cut: true };
}
