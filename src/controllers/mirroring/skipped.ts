/** What of an Endpoints object has no slice: addresses that are none, and those beyond the most of a subset. */
export interface Skipped {
  readonly invalid: number;
  readonly excess: number;
}

/** CTL-086: the warnings that the owner of the Endpoints is to read. */
export function warnOfSkipped({ invalid, excess }: Skipped, most: number): { reason: string; message: string }[] {
  const warnings: { reason: string; message: string }[] = [];
  const of = (count: number): string => (count === 1 ? "1 address has" : `${count} addresses have`);
  if (invalid > 0) {
    const message = `${of(invalid)} no EndpointSlice: what stands there should be IPv4 or IPv6 addresses`;
    warnings.push({ reason: "InvalidIPAddress", message });
  }
  if (excess > 0) {
    const message = `${of(excess)} no EndpointSlice: of each subset at most ${most} are mirrored`;
    warnings.push({ reason: "TooManyAddressesToMirror", message });
  }
  return warnings;
}
