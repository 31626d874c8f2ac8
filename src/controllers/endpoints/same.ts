import type { CoreEndpointPort, EndpointAddress, EndpointSubset } from "../../api/generated/types.ts";

const sameList = <T>(
  a: readonly T[] | undefined,
  b: readonly T[] | undefined,
  same: (a: T, b: T) => boolean,
): boolean => (a?.length ?? 0) === (b?.length ?? 0) && (a ?? []).every((item, index) => same(item, b![index]!));

const sameAddress = (a: EndpointAddress, b: EndpointAddress): boolean =>
  a.ip === b.ip &&
  a.hostname === b.hostname &&
  a.nodeName === b.nodeName &&
  a.targetRef?.kind === b.targetRef?.kind &&
  a.targetRef?.namespace === b.targetRef?.namespace &&
  a.targetRef?.name === b.targetRef?.name &&
  a.targetRef?.uid === b.targetRef?.uid;

const samePort = (a: CoreEndpointPort, b: CoreEndpointPort): boolean =>
  (a.name ?? "") === (b.name ?? "") &&
  a.port === b.port &&
  (a.protocol ?? "TCP") === (b.protocol ?? "TCP") &&
  a.appProtocol === b.appProtocol;

/** CTL-063: whether these are the same addresses at the same ports, in the same order. */
export const sameSubsets = (a: readonly EndpointSubset[], b: readonly EndpointSubset[]): boolean =>
  sameList(
    a,
    b,
    (one, other) =>
      sameList(one.addresses, other.addresses, sameAddress) &&
      sameList(one.notReadyAddresses, other.notReadyAddresses, sameAddress) &&
      sameList(one.ports, other.ports, samePort),
  );
