import type { EndpointSubset } from "../../api/generated/types.ts";

type List = "addresses" | "notReadyAddresses";

/**
 * CTL-060: at most `most` addresses in all, ready ones first; each subset keeps its share of what there is room for, rounded up
 * while there is room.
 */
export function truncate(
  subsets: readonly EndpointSubset[],
  most: number,
): { readonly subsets: readonly EndpointSubset[]; readonly cut: boolean } {
  const count = (list: List): number => subsets.reduce((sum, subset) => sum + (subset[list]?.length ?? 0), 0);
  const ready = count("addresses");
  const notReady = count("notReadyAddresses");
  if (ready + notReady <= most) return { subsets, cut: false };
  const shares = (list: List, total: number, room: number): number[] => {
    let left = room;
    return subsets.map((subset) => {
      const length = subset[list]?.length ?? 0;
      const share = total <= room ? length : Math.min(left, Math.ceil((length * room) / total));
      left -= share;
      return share;
    });
  };
  const readyShares = shares("addresses", ready, most);
  const otherShares = shares("notReadyAddresses", notReady, Math.max(0, most - ready));
  const cut = subsets.map(({ addresses = [], notReadyAddresses = [], ports }, index): EndpointSubset => {
    const kept = addresses.slice(0, readyShares[index]);
    const others = notReadyAddresses.slice(0, otherShares[index]);
    return {
      ...(kept.length === 0 ? {} : { addresses: kept }),
      ...(others.length === 0 ? {} : { notReadyAddresses: others }),
      ...(ports === undefined ? {} : { ports }),
    };
  });
  return { subsets: cut.filter((subset) => subset.addresses ?? subset.notReadyAddresses), cut: true };
}
