import type { ServiceCIDR } from "../../api/generated/types.ts";
import { addressAt, cidrsOverlap, parseCidr, type Cidr } from "../../net/cidr.ts";

/** Addresses a range needs at the least: one for `default/kubernetes`, and DNS asks for the tenth. */
const MINIMUM = 10n;

const asked = (ranges: readonly string[]): string => `the service ranges ${ranges.join(",")}`;

/**
 * Reads `--service-cluster-ip-range`: one range, or two of different families (SVC-115).
 *
 * @throws RangeError that names the flag's fault
 */
export function readServiceRanges(ranges: readonly string[]): Cidr[] {
  const cidrs = ranges.map(parseCidr);
  if (cidrs.length === 0 || cidrs.length > 2) {
    throw new RangeError(`${asked(ranges)}: one range is needed, or two of different families`);
  }
  for (const [index, cidr] of cidrs.entries()) {
    if (cidr.text !== ranges[index])
      throw new RangeError(`the service range ${ranges[index]} must be written as ${cidr.text}`);
    if (cidr.family === "IPv6" && cidr.prefix < 64) {
      throw new RangeError(
        `the service range ${cidr.text} is too large: an IPv6 range must be /64 or longer (SVC-118)`,
      );
    }
    if (cidr.last - cidr.first + 1n < MINIMUM + 2n) {
      throw new RangeError(`the service range ${cidr.text} is too small: at least ${MINIMUM} addresses are needed`);
    }
  }
  const [one, other] = cidrs;
  if (one !== undefined && other !== undefined) {
    if (cidrsOverlap(one, other)) throw new RangeError(`the service ranges ${one.text} and ${other.text} overlap`);
    if (one.family === other.family) {
      throw new RangeError(
        `the service ranges ${one.text} and ${other.text} are both ${one.family}: two must be of different families`,
      );
    }
  }
  return cidrs;
}

/** The address of `default/kubernetes`: the first of the primary range (SVC-280). */
export const kubernetesAddress = (primary: Cidr): string => addressAt(primary, 1n);

/** What becomes of the stored ranges: they stay, a second family is added, or they contradict what is wanted (SVC-271). */
export function compareRanges(
  stored: ServiceCIDR,
  wanted: readonly string[],
): "same" | "second missing" | "inconsistent" {
  const is = stored.spec?.cidrs ?? [];
  if (is.length === wanted.length && is.every((text, index) => text === wanted[index])) return "same";
  return is.length === 1 && wanted.length === 2 && is[0] === wanted[0] ? "second missing" : "inconsistent";
}

/** Addresses that are in use would lie in no range. */
export const contradiction = (stored: ServiceCIDR, wanted: readonly string[]): Error => {
  const is = (stored.spec?.cidrs ?? []).join(",");
  return new Error(
    `starting with ${asked(wanted)}: this data directory was made with ${is}, and its Services have addresses there. ` +
      `Start with --service-cluster-ip-range ${is}, or with another data directory.`,
  );
};
